"""The mail about one notification, or about several that go out together: headers, text and HTML."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import translation

from notifications import links
from notifications.delivery.digest import tell_all
from notifications.delivery.rendering import Message, render
from notifications.delivery.story import tell
from notifications.models import Delivery, Notification
from notifications.unsubscribe import Scope, Subscription
from notifications.wording import visible
from preferences.selectors import language_of

BY_A_MACHINE = {
    "Auto-Submitted": "auto-generated",  # RFC 3834: no answers by machines
    "X-Auto-Response-Suppress": "All",  # the same in Exchange's language
}
FILETIME_BEGIN = datetime(1601, 1, 1, tzinfo=UTC)


def compose(delivery: Delivery, *, site_language: str = "") -> EmailMultiAlternatives:
    """The same for every attempt but for its date; in the user's language, else the site's ('' is looked up)."""
    user = delivery.notification.user
    with translation.override(language_of(user=user, site=site_language)):
        several = tell_all(delivery) if delivery.bundle_size > 1 else None
        if several:
            headers = _headers(delivery, "bundle", several["event"])
            return mail_to(user.email, Message("digest", several), headers=headers)
        story = tell(delivery.notification)
        headers = _headers(delivery, "delivery", story["event"]) | _thread(
            delivery.notification, story["stem"]
        )
        return mail_to(user.email, Message("job_event", story), headers=headers)


def mail_to(address: str, message: Message, *, headers: Mapping[str, str]) -> EmailMultiAlternatives:
    rendered = render(message)
    mail = EmailMultiAlternatives(
        subject=rendered.subject, body=rendered.text, to=[address], headers={**headers, **BY_A_MACHINE}
    )
    mail.attach_alternative(rendered.html, "text/html")
    return mail


def _headers(delivery: Delivery, kind: str, event: str) -> dict[str, str]:
    host = _host()
    created = int(delivery.created_at.timestamp() * 1_000_000)  # ids start anew with a new database
    headers = {
        "Message-ID": f"<{kind}-{delivery.id}-{created}@{host}>",
        "List-Id": f"Job notifications <notifcenter.{host}>",
        "List-Unsubscribe": f"<{Subscription.of(delivery.notification, Scope.ALL).url}>",
        "X-Notifcenter-Event": visible(event),
        "X-Notifcenter-Cluster": visible(settings.CLUSTER_NAME),
    }
    if settings.BASE_URL.startswith("https://"):  # RFC 8058 allows nothing else
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _thread(notification: Notification, stem: str) -> dict[str, str]:
    """What groups the mails about one job."""
    framework, submitted = links.job_of(notification)
    job = hashlib.sha256(f"{framework} {submitted.timestamp()}".encode()).digest()
    root = f"<job-{job.hex()[:24]}@{_host()}>"
    return {
        "In-Reply-To": root,
        "References": root,
        "Thread-Topic": stem,
        "Thread-Index": _thread_index(submitted, job),
    }


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", urlsplit(settings.BASE_URL).hostname or "localhost")


def _thread_index(submitted: datetime, job: bytes) -> str:
    """The conversation in Exchange's language ([MS-OXOMSG] 2.2.1.3): the beginning of a FILETIME, then a GUID.

    Outlook goes by this rather than by References, and then does not mind that the subjects differ.
    """
    ticks = int((submitted - FILETIME_BEGIN).total_seconds()) * 10_000_000
    return base64.b64encode(ticks.to_bytes(8, "big")[:6] + job[:16]).decode()
