"""The mail about one notification: headers, text and HTML."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from notifications.delivery.story import tell
from notifications.models import Delivery, Notification
from notifications.wording import visible

TEMPLATES = "email/job_event"


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """The same for every attempt but for its date."""
    story = tell(delivery.notification)
    message = EmailMultiAlternatives(
        subject=_line("subject.txt", story),
        body=render_to_string(f"{TEMPLATES}/body.txt", story),
        to=[delivery.notification.user.email],
        headers=_headers(delivery),
    )
    message.attach_alternative(
        _inliner().inline(render_to_string(f"{TEMPLATES}/body.html", story)), "text/html"
    )
    return message


def _headers(delivery: Delivery) -> dict[str, str]:
    notification = delivery.notification
    host = re.sub(r"[^A-Za-z0-9.-]+", "-", urlsplit(settings.BASE_URL).hostname or "localhost")
    created = int(delivery.created_at.timestamp() * 1_000_000)  # ids start anew with a new database
    return {
        "Message-ID": f"<delivery-{delivery.id}-{created}@{host}>",
        "References": f"<job-{_job_digest(notification)}@{host}>",  # groups the mails about one job
        "List-Id": f"Job notifications <notifcenter.{host}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: no answers by machines
        "X-Auto-Response-Suppress": "All",  # the same in Exchange's language
        "X-Notifcenter-Event": visible(notification.event),
        "X-Notifcenter-Cluster": visible(settings.CLUSTER_NAME),
    }


def _job_digest(notification: Notification) -> str:
    job = f"{notification.framework_name} {notification.submission_time.timestamp()}"
    return hashlib.sha256(job.encode()).hexdigest()[:24]


def _line(template: str, context: dict[str, Any]) -> str:
    return " ".join(render_to_string(f"{TEMPLATES}/{template}", context).split())


@cache
def _inliner() -> css_inline.CSSInliner:
    """Many mail programs ignore style sheets; what only these can say (dark mode, narrow screens) is kept."""
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
