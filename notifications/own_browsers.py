"""A user's own browsers, which are told by Web Push: add one, give one a new address."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from notifications import vapid
from notifications.delivery.webpush import WebPushTransport, is_of_browser
from preferences import browsers
from preferences.kinds import Channel
from preferences.models import Target
from preferences.rules import NEVER_SEEN, why_not
from preferences.targets import TargetRefused
from preferences.wishes import site_wishes

_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
"""What stands in the User-Agent header; the first that is there, since most name others as well."""
_SYSTEMS = (
    ("Android", "Android"), ("iPhone|iPad", "iOS"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def add(*, user: User, subscription: Mapping[str, Any], user_agent: str, name: str = "") -> Target:
    """`subscription` as PushSubscription.toJSON has it. Raises TargetRefused; nothing is sent."""
    _check_site()
    draft = WebPushTransport.draft(json.dumps(subscription))
    return browsers.add(
        user=user,
        name=name or describe(user_agent),
        service=draft.service,
        hint=draft.hint,
        endpoint=json.loads(draft.secret)["endpoint"],
        secret=draft.secret,
    )


def renew(*, endpoint: str, auth: str, subscription: Mapping[str, Any]) -> bool:
    """The browser of that endpoint, which proves itself by its secret `auth`, has got a new subscription.

    False when there is no such browser. Raises TargetRefused.
    """
    draft = WebPushTransport.draft(json.dumps(subscription))
    return browsers.renew(
        endpoint=endpoint,
        is_genuine=partial(is_of_browser, auth=auth),
        new_endpoint=json.loads(draft.secret)["endpoint"],
        hint=draft.hint,
        secret=draft.secret,
    )


def application_server_key() -> str:
    """What a browser needs to subscribe; '' where it cannot."""
    return vapid.public_key(settings.VAPID_PRIVATE_KEY) if settings.VAPID_PRIVATE_KEY else ""


def describe(user_agent: str) -> str:
    """ "Firefox, Linux"; "Browser" for one that tells neither."""
    found = (
        next((name for mark, name in table if re.search(mark, user_agent)), "")
        for table in (_BROWSERS, _SYSTEMS)
    )
    return ", ".join(name for name in found if name) or "Browser"


def _check_site() -> None:
    site = site_wishes()
    if Channel.WEBPUSH not in site.channels_on or not site.push_configured:
        raise TargetRefused(why_not(Channel.WEBPUSH, owner=NEVER_SEEN, site=site))
