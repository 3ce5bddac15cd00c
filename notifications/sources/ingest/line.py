"""The line from HTTP to the poller: put in, take, put aside, try again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from django.db import connection, transaction

from notifications.sources.frameworks.changes import wake_poller
from preferences.prepared import Prepared

_PUT = """
INSERT INTO notifications_received (key, kind, user_name, payload)
SELECT key, kind, user_name, payload
FROM json_to_recordset(%s) AS r(n int, key text, kind text, user_name text, payload jsonb) ORDER BY n
ON CONFLICT (key) DO NOTHING RETURNING key
"""

# Whatever happens before the commit leaves them waiting.
_TAKE = Prepared(
    "notifcenter_take_received",
    ["integer"],
    """
WITH taken AS MATERIALIZED (
    UPDATE notifications_received SET waiting = false WHERE id = ANY(ARRAY(
        SELECT id FROM notifications_received WHERE waiting ORDER BY id LIMIT %s))
    RETURNING id, kind, user_name, payload
)
SELECT id, kind, user_name, payload FROM taken ORDER BY id
""",
)


@dataclass(frozen=True, slots=True)
class New:
    """Something that came in. `key` tells whether it came in before."""

    key: str
    kind: str
    user_name: str
    payload: dict[str, Any]


class Taken(NamedTuple):
    id: int
    kind: str
    user_name: str
    payload: dict[str, Any]


def put(received: Sequence[New]) -> set[str]:
    """Store what is new and wake the poller, in one transaction; returns the keys that are new."""
    # In one order for all, or two requests with the same alerts would wait for each other.
    ordered = sorted(received, key=lambda one: (one.payload.get("starts_at", ""), one.key))
    rows = json.dumps([{"n": number, **asdict(one)} for number, one in enumerate(ordered)])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PUT, [rows])
        new = {key for (key,) in cursor.fetchall()}
        if new:
            wake_poller()
    return new


def take(limit: int) -> list[Taken]:
    """The oldest ones; they leave the line if the transaction commits."""
    with connection.cursor() as cursor:
        _TAKE.execute(cursor, [limit])
        rows = cursor.fetchall()
    return [Taken(key, kind, user_name, json.loads(payload)) for key, kind, user_name, payload in rows]


def waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM notifications_received WHERE waiting)")
        return bool(cursor.fetchone()[0])


def put_aside(errors: Iterable[tuple[Taken, str]]) -> None:
    """Keep with each why it could not be digested, until somebody tries it again."""
    with connection.cursor() as cursor:
        for taken, error in errors:
            cursor.execute("UPDATE notifications_received SET error = %s WHERE id = %s", [error, taken.id])


def put_aside_waiting(received_id: int, error: str) -> None:
    """Take one that waits out of the line."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_received SET waiting = false, error = %s WHERE id = %s",
            [error, received_id],
        )


def try_again(ids: Collection[int]) -> int:
    """Put those that were put aside back in line; returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_received SET waiting = true, error = '' WHERE id = ANY(%s) AND error <> ''",
            [list(ids)],
        )
        count: int = cursor.rowcount
        wake_poller()
    return count
