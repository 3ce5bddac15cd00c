"""What a websocket is sent, from the rows that are newer than the last look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.utils import translation

from notifications import inbox
from notifications.groups.models import JobGroup, JobState
from notifications.models import Notification
from preferences.prepared import Prepared

NEW_ROWS = 500

_FIELDS = [field.attname for field in Notification._meta.concrete_fields]  # as their columns are called
_GROUP_FIELDS = ("id", "stem", "jobs", "muted", "muted_until", *(state.label for state in JobState))
# New rows, each with its user's counts if that user is active and one of these (null: of all), else null.
NEW = Prepared(
    "notifcenter_new",
    ["bigint", "integer[]"],
    f"""
WITH n AS MATERIALIZED (
    SELECT {", ".join(_FIELDS)} FROM notifications_notification WHERE id > %s ORDER BY id LIMIT {NEW_ROWS}
), c AS MATERIALIZED (
    {inbox.count_unread_sql("ARRAY(SELECT DISTINCT user_id FROM n WHERE COALESCE(user_id = ANY(%s), true))")}
)
SELECT c.user_id, c.unread, c.last_id, u.username, extract(epoch FROM clock_timestamp() - n.occurred_at)::float8,
    {", ".join("n." + column for column in _FIELDS)}, {", ".join("g." + column for column in _GROUP_FIELDS)}
FROM n LEFT JOIN notifications_jobgroup g ON g.id = n.group_id
LEFT JOIN (c JOIN auth_user u ON u.id = c.user_id AND u.is_active) ON c.user_id = n.user_id
ORDER BY n.id
""",  # noqa: S608 - constants only
)
USER_COLUMN, ID_COLUMN = 0, 5 + _FIELDS.index("id")

Frame = tuple[int, int | None, str, str]
"""User, id of the notification (of RESYNC: the newest that may have been missed; else None), text, and the language
that it speaks ('': none, so that it is for every socket)."""


def _rfc3339(value: object) -> str:
    """As REST writes it."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} cannot be sent")


_ENCODER = json.JSONEncoder(default=_rfc3339, separators=(",", ":"))


def encode(frame: dict[str, Any]) -> str:
    return _ENCODER.encode(frame)


def notification_frame(one: Notification, username: str, count: inbox.Unread) -> str:
    """In the language that is active."""
    return encode(
        {
            "type": "notification",
            "notification": inbox.payload(one, username),
            "unread": count.unread,
            "more": count.more,
        }
    )


RESYNC = encode({"type": "resync"})


@dataclass(slots=True)
class New:
    """A row of NEW about a user who is active. `age`: how many seconds ago the event was when it was read."""

    notification: Notification
    username: str
    count: inbox.Unread
    age: float

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        user_id, unread, last_id, username, age, *values = row
        one = Notification(*values[: len(_FIELDS)])  # by position: twice as fast as by name
        if one.group_id is not None:
            group = dict(zip(_GROUP_FIELDS, values[len(_FIELDS) :], strict=True))
            one.group = JobGroup(**group) if group["id"] else None
        return cls(one, username, inbox.unread_from_row((user_id, unread, last_id))[1], age)

    @property
    def is_shown(self) -> bool:
        return self.notification.in_inbox and self.notification.read_at is None


def frames_of(new: Sequence[New], language: str) -> list[Frame]:
    with translation.override(language):
        return [
            (
                one.notification.user_id,
                one.notification.pk,
                notification_frame(one.notification, one.username, one.count),
                language,
            )
            for one in new
        ]
