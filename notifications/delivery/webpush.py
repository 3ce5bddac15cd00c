"""Notifications to a user's browser, also while no page of ours is open: Web Push (RFC 8030)."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import requests
from django.conf import settings
from django.utils import translation

from notifications.delivery.base import DeliveryError
from notifications.delivery.guard import guarded
from notifications.delivery.outside import TOTAL_SECONDS, OutsideSession, refusal, trouble
from notifications.delivery.push_encryption import AUTH_BYTES, encrypt, read_point
from notifications.delivery.push_message import push_of
from notifications.delivery.targets import Draft, Message, TargetGone, TargetTransport
from notifications.delivery.web_address import host_of, web_address
from notifications.vapid import authorization, decode
from preferences import browsers
from preferences.models import Target
from preferences.selectors import language_of
from preferences.targets import TargetRefused

TTL_SECONDS = 24 * 60 * 60
"""How long the push service keeps a message for a browser that is not running."""
GONE = frozenset({404, 410})
NOT_OURS = frozenset({401, 403})
UNUSABLE = "This is no subscription of a browser."


class WebPushTransport(TargetTransport):
    """A target's secret is the browser's subscription: `{"endpoint", "p256dh", "auth"}`."""

    @classmethod
    def draft(cls, address: str) -> Draft:
        """`address`: the subscription as PushSubscription.toJSON has it. Raises TargetRefused."""
        try:
            known = _flat(json.loads(address))
            read_point(decode(known["p256dh"]))
            if len(decode(known["auth"])) != AUTH_BYTES:
                raise ValueError("wrong length")
        except (ValueError, KeyError, TypeError):
            raise TargetRefused(UNUSABLE) from None
        url = web_address(known["endpoint"])
        if not url.startswith("https://"):
            raise TargetRefused("A push service must be reached by https://.")
        return Draft(service="Web Push", hint=host_of(url), secret=json.dumps({**known, "endpoint": url}))

    def post(self, secret: str, message: Message) -> None:
        known = json.loads(secret)
        if not settings.VAPID_PRIVATE_KEY:
            raise DeliveryError("The administrator has set no keys for Web Push.", permanent=False)
        with translation.override(language_of(user=message.notification.user)):
            push = push_of(message)
            plain = push.as_bytes()
        body = encrypt(plain, browser=read_point(decode(known["p256dh"])), auth=decode(known["auth"]))
        headers = {
            "Authorization": authorization(
                known["endpoint"],
                private_key=settings.VAPID_PRIVATE_KEY,
                contact=settings.VAPID_CONTACT,
                now=int(time.time()),
            ),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_SECONDS),
            "Topic": push.topic,
            "Urgency": "high" if push.is_urgent else "normal",
            "User-Agent": "Notifcenter",
        }
        with guarded(seconds=TOTAL_SECONDS), OutsideSession() as session:
            try:
                answer = session.post(known["endpoint"], data=body, headers=headers)
            except (requests.RequestException, OSError, ValueError) as error:
                raise trouble(error) from error
        if answer.status_code in GONE:
            raise TargetGone(
                f"The push service answered {answer.status_code}: the browser wants nothing any more."
            )
        if answer.status_code in NOT_OURS:
            raise DeliveryError(
                f"The push service answered {answer.status_code}: it does not know our key. Add the browser anew.",
                permanent=True,
            )
        if (problem := refusal(answer)) is not None:
            raise problem

    def gone(self, target: Target, reason: str) -> None:
        """A subscription never comes back; the browser makes another one, and may have told us of it by now."""
        if not browsers.remove_subscription(target):
            raise DeliveryError("The browser has got another address meanwhile.", permanent=False) from None


def is_of_browser(secret: str, auth: str) -> bool:
    """Whether somebody who says that knows what only the browser and we know."""
    return hmac.compare_digest(json.loads(secret)["auth"].encode(), auth.encode())


def _flat(subscription: Mapping[str, Any]) -> dict[str, str]:
    keys = subscription["keys"]
    found = {"endpoint": subscription["endpoint"], "p256dh": keys["p256dh"], "auth": keys["auth"]}
    if not all(isinstance(value, str) for value in found.values()):
        raise TypeError
    return found
