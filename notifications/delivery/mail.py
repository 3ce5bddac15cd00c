"""The mail about one notification, or about several that go out together: headers, text and HTML."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from notifications import links
from notifications.delivery.digest import tell_all
from notifications.delivery.story import tell
from notifications.models import Delivery, Notification
from notifications.unsubscribe import Scope, Subscription
from notifications.wording import visible

BY_A_MACHINE = {
    "Auto-Submitted": "auto-generated",  # RFC 3834: no answers by machines
    "X-Auto-Response-Suppress": "All",  # the same in Exchange's language
}
FILETIME_BEGIN = datetime(1601, 1, 1, tzinfo=UTC)


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """The same for every attempt but for its date."""
    several = tell_all(delivery) if delivery.bundle_size > 1 else None
    address = delivery.notification.user.email
    if several:
        headers = _headers(delivery, "bundle", several["event"])
        return render("digest", several, to=address, headers=headers)
    story = tell(delivery.notification)
    headers = _headers(delivery, "delivery", story["event"]) | _thread(delivery.notification, story["stem"])
    return render("job_event", story, to=address, headers=headers)


def render(
    message: str, context: dict[str, Any], *, to: str, headers: dict[str, str]
) -> EmailMultiAlternatives:
    """The mail from the templates of this message; `headers` are its own, beside those of all our mails."""
    folder = f"email/{message}"
    mail = EmailMultiAlternatives(
        subject=" ".join(render_to_string(f"{folder}/subject.txt", context).split()),
        body=render_to_string(f"{folder}/body.txt", context),
        to=[to],
        headers={**headers, **BY_A_MACHINE},
    )
    mail.attach_alternative(_inliner().inline(render_to_string(f"{folder}/body.html", context)), "text/html")
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


@cache
def _inliner() -> css_inline.CSSInliner:
    """Many mail programs ignore style sheets; what only these can say (dark mode, narrow screens) is kept."""
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
