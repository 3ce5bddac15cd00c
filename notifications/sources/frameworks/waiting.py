"""Jobs that wait now, each with the time at which its limit has to be looked at again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from notifications.sources.frameworks.changes import JOB_COLUMNS, JobRow
from notifications.sources.frameworks.wish_columns import OWN_WISHES
from preferences.prepared import Message, Prepared
from preferences.wishes import JobKey


@dataclass(frozen=True, slots=True)
class Wait:
    """One wait of one job. `due_at` None: nobody wants to hear of it (a changed wish looks again)."""

    framework_name: str
    submission_time: datetime
    user_name: str
    ordinal: int
    since: datetime
    due_at: datetime | None = None

    @property
    def job(self) -> JobKey:
        return self.framework_name, self.submission_time

    def limit_reached_at(self, minutes: int) -> datetime:
        return self.since + timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True)
class DueWait:
    """A wait whose time has come, and the job's row as it is now."""

    wait: Wait
    row: JobRow
    now: datetime


DUE = Prepared(
    "notifcenter_due",
    ["integer"],
    f"""
SELECT w.framework_name, w.submission_time, w.user_name, w.ordinal, w.since, now(), {JOB_COLUMNS}
FROM (SELECT * FROM notifications_waitingjob WHERE due_at <= now() ORDER BY due_at, framework_name
    LIMIT %s) w
LEFT JOIN frameworks f ON f.name = w.framework_name
    AND f."submissionTime" IS NOT DISTINCT FROM w.submission_time
{OWN_WISHES}
ORDER BY w.due_at
""",  # noqa: S608 - constants only
)

_FOLLOW = Prepared(
    "notifcenter_follow",
    ["text[]", "json"],
    """
WITH over AS (DELETE FROM notifications_waitingjob WHERE framework_name = ANY(%s))
INSERT INTO notifications_waitingjob (framework_name, submission_time, user_name, ordinal, since, due_at)
SELECT f, s, u, o, b, d
FROM json_to_recordset(%s) AS i(f text, s timestamptz, u text, o int, b timestamptz, d timestamptz)
ON CONFLICT (framework_name) DO UPDATE SET submission_time = EXCLUDED.submission_time,
    user_name = EXCLUDED.user_name, ordinal = EXCLUDED.ordinal, since = EXCLUDED.since, due_at = EXCLUDED.due_at
""",
)


def due(limit: int) -> list[DueWait]:
    with connection.cursor() as cursor:
        DUE.execute(cursor, [limit])
        return [DueWait(Wait(*row[:5]), JobRow.of(row[6:]), row[5]) for row in cursor.fetchall()]


def follow(waits: Mapping[str, Wait | None], message: Message) -> None:
    """With the message, save the waits that began or were looked at, and forget those of the frameworks that wait no
    more (None)."""
    if not waits:
        return
    over = [name for name, wait in waits.items() if wait is None]
    rows = [
        {
            "f": wait.framework_name,
            "s": wait.submission_time.isoformat(),
            "u": wait.user_name,
            "o": wait.ordinal,
            "b": wait.since.isoformat(),
            "d": wait.due_at.isoformat() if wait.due_at else None,
        }
        for wait in waits.values()
        if wait is not None
    ]
    message.add(_FOLLOW, [over, json.dumps(rows)])


def give_up_oldest() -> bool:
    """Let the wait that is due first rest until a wish changes; False when none is due."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_waitingjob SET due_at = NULL WHERE framework_name = (SELECT framework_name "
            "FROM notifications_waitingjob WHERE due_at <= now() ORDER BY due_at, framework_name LIMIT 1)"
        )
        return bool(cursor.rowcount)


def look_again(*, user_names: Collection[str] | None = None, framework_name: str | None = None) -> None:
    """After a changed wish: have the limits of these waits decided anew (of all, without arguments)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_waitingjob SET due_at = now() "
            "WHERE (%(users)s::text[] IS NULL OR user_name = ANY(%(users)s)) "
            "AND (%(job)s::text IS NULL OR framework_name = %(job)s)",
            {"users": None if user_names is None else list(user_names), "job": framework_name},
        )
