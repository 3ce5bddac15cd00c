"""notificationAt*: shows others what was set for a job after its submission.

The cluster reads nothing from these columns that it has not written itself, and writes them again from the job's file
at every request change. What it asks for itself is remembered beside them: our own mirror must not come back as a
wish of the job's file.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from preferences.kinds import NOTIFICATION_COLUMNS, Event
from preferences.rules import NO_OVERRIDE
from preferences.wishes import load_wishes

MAX_ROWS = 500
"""So many rows of the cluster are locked at once, for the few milliseconds of one statement."""

Columns = dict[Event, bool | None]

_NAMES = {event.value: column for event, column in NOTIFICATION_COLUMNS.items()}
_COLUMNS = ", ".join(f'f."{column}"' for column in _NAMES.values())

_OWN = ", ".join(
    f"CASE WHEN m.before ? '{event}' THEN (m.before ->> '{event}')::boolean ELSE f.\"{column}\" END AS {event}"
    for event, column in _NAMES.items()
)

OWN_WISHES = f"""
LEFT JOIN notifications_wishmirror m ON m.framework_name = f.name AND m.submission_time = f."submissionTime"
CROSS JOIN LATERAL (SELECT {_OWN}) AS own
"""
"""To be joined to `frameworks f`: own.running, own.failed … are what the cluster itself asks for."""

_REQUEST = """
INSERT INTO notifications_wishmirror AS m (framework_name, submission_time, before, pending)
VALUES (%s, %s, '{}', true)
ON CONFLICT (framework_name) DO UPDATE SET pending = true, submission_time = EXCLUDED.submission_time,
    before = CASE WHEN m.submission_time = EXCLUDED.submission_time THEN m.before ELSE EXCLUDED.before END
"""

_PENDING = """
SELECT framework_name, submission_time, before FROM notifications_wishmirror WHERE pending
ORDER BY framework_name LIMIT %s FOR UPDATE SKIP LOCKED
"""

# A row that the cluster holds locked is not waited for: its turn comes a little later.
_FREE = f"""
SELECT f.name, f."submissionTime", {_COLUMNS} FROM frameworks f WHERE f.name = ANY(%s)
FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608 - constants only

_SHOW = f"""
UPDATE frameworks f SET {", ".join(f'"{column}" = i.{event}' for event, column in _NAMES.items())}
FROM json_to_recordset(%s) AS i(name text, {", ".join(f"{event} boolean" for event in _NAMES)})
WHERE f.name = i.name
"""  # noqa: S608 - constants only

_REMEMBER = """
UPDATE notifications_wishmirror m SET before = i.before, pending = false
FROM json_to_recordset(%s) AS i(name text, before jsonb) WHERE m.framework_name = i.name
"""

_IS_GONE = """NOT EXISTS (SELECT FROM frameworks f WHERE f.name = m.framework_name
    AND f."submissionTime" = m.submission_time)"""
_FORGET_GONE = f"DELETE FROM notifications_wishmirror m WHERE {_IS_GONE}"  # noqa: S608 - constants only
_FORGET = f"""
DELETE FROM notifications_wishmirror m WHERE m.framework_name = ANY(%s)
AND (NOT m.pending AND m.before = '{{}}' OR {_IS_GONE})
"""  # noqa: S608 - constants only


def request(framework_name: str, submission_time: datetime) -> None:
    """What was set for this job has changed: have its columns written."""
    with connection.cursor() as cursor:
        cursor.execute(_REQUEST, [framework_name, submission_time])


def request_again(framework_names: Collection[str]) -> None:
    """The cluster has written to these rows: its request changes overwrite what we show there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_wishmirror SET pending = true WHERE framework_name = ANY(%s) AND NOT pending",
            [list(framework_names)],
        )


@transaction.atomic
def write_pending() -> None:
    """Write the columns of the jobs that were requested, as far as the cluster leaves their rows free."""
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, [MAX_ROWS])
        known = {name: (submitted, json.loads(before)) for name, submitted, before in cursor.fetchall()}
        if not known:
            return
        cursor.execute(_FREE, [list(known)])
        rows = cursor.fetchall()
        overrides = load_wishes(usernames=(), frameworks=list(known)).overrides
        show: list[dict[str, Any]] = []
        remember: list[dict[str, Any]] = []
        for name, submitted, *values in rows:
            if known[name][0] != submitted:
                continue  # a new job of the same name, of which nothing is known
            columns = dict(zip(NOTIFICATION_COLUMNS, values, strict=True))
            override = overrides.get((name, submitted), NO_OVERRIDE).events
            shown, before = mirrored(columns, known[name][1], override)
            if shown != columns:
                show.append({"name": name, **{event.value: on for event, on in shown.items()}})
            remember.append({"name": name, "before": {event.value: on for event, on in before.items()}})
        if show:
            cursor.execute(_SHOW, [json.dumps(show)])
        cursor.execute(_REMEMBER, [json.dumps(remember)])
        cursor.execute(_FORGET, [list(known)])


def mirrored(
    columns: Columns, before: Mapping[str, bool | None], override: Mapping[Event, bool]
) -> tuple[Columns, Columns]:
    """What the columns are to show, and what is to be remembered: what the cluster has in those that are ours now."""
    theirs: Columns = {event: before.get(event, value) for event, value in columns.items()}
    shown: Columns = {event: override.get(event, value) for event, value in theirs.items()}
    return shown, {event: theirs[event] for event in theirs if event in override}


def forget_gone() -> None:
    """Forget what is remembered of jobs that are gone or were submitted anew. Looks at all that is remembered."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_GONE)
