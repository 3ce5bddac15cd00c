"""What a push says, as the service worker reads it, and how it is to be handed on. All in the active language.

The worker shows title and body as plain text; no text is escaped here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language, gettext, pgettext

from notifications import inbox, links, wording
from notifications.delivery.digest import tell_all
from notifications.delivery.targets import Message
from notifications.explanation import explain
from notifications.models import Notification
from notifications.vapid import encode
from preferences.kinds import Event

MAX_BYTES = 3072
MAX_TITLE_CHARACTERS = 120
MAX_BODY_CHARACTERS = 600
MAX_LINES = 3
"""Of what is told together."""
TOPIC_BYTES = 24
"""32 characters in base64, which is as long as a topic may be (RFC 8030, 5.4)."""
PRESSING = frozenset({Event.FAILED, Event.ALERT})


@dataclass(frozen=True, slots=True)
class Push:
    """`topic`: at the push service, a newer message takes the place of one that still waits there; and on the
    screen, that of one which is still shown.
    """

    title: str
    body: str
    url: str
    topic: str
    is_urgent: bool
    milliseconds: int

    def as_bytes(self) -> bytes:
        """At most MAX_BYTES of JSON; a body that is too long is cut, since text may take four bytes a character."""
        values: dict[str, Any] = {
            "title": self.title,
            "body": self.body,
            "url": self.url,
            "tag": self.topic,
            "timestamp": self.milliseconds,
            "lang": get_language() or "",
        }
        while len(written := _json(values)) > MAX_BYTES and values["body"]:
            values["body"] = values["body"][: len(values["body"]) // 2]
        return written


def push_of(message: Message) -> Push:
    """The one notification, or all that goes out together with it."""
    notification, delivery = message.notification, message.delivery
    if message.is_test:
        return _test(notification)
    story = tell_all(delivery) if delivery is not None and delivery.bundle_size > 1 else None
    return _several(notification, story) if story else _one(notification)


def _one(notification: Notification) -> Push:
    event = notification.event
    details = notification.details if isinstance(notification.details, dict) else {}
    reason = explain(event, details).reason
    lines = [wording.summary(event, details), wording.visible(reason)]
    framework, submitted = links.job_of(notification)
    return Push(
        title=wording.title(event, notification.job_name, notification.ordinal, details),
        body=wording.shorten("\n".join(line for line in lines if line), MAX_BODY_CHARACTERS),
        url=links.page_of(notification),
        topic=_topic(f"{framework} {submitted.isoformat()}"),
        is_urgent=event in PRESSING,
        milliseconds=_milliseconds(notification),
    )


def _several(notification: Notification, story: Mapping[str, Any]) -> Push:
    """Later ones take its place, so it says how many are unread in all."""
    shown = story["lines"][:MAX_LINES]
    lines = [_line(line) for line in shown]
    if left := story["count"] - sum(line["count"] for line in shown):
        lines.append(gettext("… and %(count)d more") % {"count": left})
    unread = inbox.count_unread(notification.user_id)
    number = f"{unread.unread}+" if unread.more else str(unread.unread)
    if unread.unread:
        lines.append(gettext("Unread in your inbox: %(number)s") % {"number": number})
    return Push(
        title=wording.shorten(story["headline"], MAX_TITLE_CHARACTERS),
        body=wording.shorten("\n".join(lines), MAX_BODY_CHARACTERS),
        url=f"{settings.BASE_URL}/",
        topic=_topic("several"),
        is_urgent=any(group["event"] in PRESSING for group in story["groups"]),
        milliseconds=_milliseconds(notification),
    )


def _test(notification: Notification) -> Push:
    return Push(
        title=gettext("A test from Notifcenter"),
        body=gettext("This is how you will be told of your jobs."),
        url=f"{settings.BASE_URL}/profile/#browsers",
        topic=_topic("test"),
        is_urgent=True,
        milliseconds=_milliseconds(notification),
    )


def _line(line: Mapping[str, Any]) -> str:
    if line["is_sweep"]:
        return gettext("%(what)s: %(why)s") % {"what": line["name"], "why": line["note"]}
    parts = {"word": line["word"], "name": line["name"]}
    return pgettext("an event and the job's name", "%(word)s: %(name)s") % parts


def _topic(what: str) -> str:
    """Says nothing to the push service: it could try names of jobs on a plain digest."""
    return encode(
        salted_hmac("notifcenter: topic of a push", what, algorithm="sha256").digest()[:TOPIC_BYTES]
    )


def _milliseconds(notification: Notification) -> int:
    return int(notification.occurred_at.timestamp() * 1000)


def _json(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
