"""The queue of captured changes: take, remove, put aside, try again, add by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db import connection, transaction

from notifications.sources.frameworks import names
from notifications.sources.frameworks.diagnosis import RowFacts
from notifications.sources.frameworks.transitions import StateChange
from notifications.sources.frameworks.wish_columns import OWN_WISHES
from preferences.kinds import NOTIFICATION_COLUMNS, Event
from preferences.prepared import Prepared

MAX_JOB_CONFIG_BYTES = 256 * 1024
MAX_SNAPSHOT_BYTES = 4 * 1024 * 1024
SNAPSHOTS_AT_ONCE = 8

_COPIED = (
    "framework_name, submission_time, user_name, old_state, new_state, old_retries, new_retries, "
    "changed_at, only_events, ended_attempt, counted"
)
# When the job came into its present state, as the cluster itself knows it.
STATE_TIME = """
    CASE WHEN f.state IN ('SUCCEEDED', 'FAILED', 'STOPPED') THEN f."completionTime"
         WHEN f.state = 'RUNNING' THEN f."launchTime" END
"""
_PUT_ASIDE = f"""
INSERT INTO notifications_failedchange ({_COPIED}, error) VALUES ({", ".join(["%s"] * 10)}, true, %s)
"""  # noqa: S608 - constants only
_PUT_ASIDE_WAITING = f"""
WITH gone AS (DELETE FROM notifications_capturedchange WHERE id = COALESCE(%s,
    (SELECT id FROM notifications_capturedchange ORDER BY id LIMIT 1)) RETURNING {_COPIED})
INSERT INTO notifications_failedchange ({_COPIED}, error) SELECT {_COPIED}, %s FROM gone
"""  # noqa: S608 - constants only
_TRY_AGAIN = f"""
WITH back AS (DELETE FROM notifications_failedchange WHERE id = ANY(%s) RETURNING id, {_COPIED})
INSERT INTO notifications_capturedchange ({_COPIED}) SELECT {_COPIED} FROM back ORDER BY id
"""  # noqa: S608 - constants only
_PRESENT_STATE = f"""
INSERT INTO notifications_capturedchange ({_COPIED})
SELECT f.name, f."submissionTime", f."userName", NULL, f.state, f.retries, f.retries,
    COALESCE({STATE_TIME}, now()), ARRAY[lower(f.state)], NULL, true
FROM frameworks f WHERE f.name = %s AND f."submissionTime" = %s AND lower(f.state) = ANY(%s)
"""  # noqa: S608 - constants only
_WISH_COLUMNS = ", ".join(f"own.{event.value}" for event in NOTIFICATION_COLUMNS)

JOB_COLUMNS = f"""
    f.name IS NOT NULL, f.state, f."jobName", f."virtualCluster", f."totalGpuNumber", f."appExitCode",
    f.retries, f."launchTime", f."completionTime",
    CASE WHEN octet_length(f."jobConfig") <= {MAX_JOB_CONFIG_BYTES}
          AND strpos(f."jobConfig", 'jobStatusChangeNotification') > 0 THEN f."jobConfig" END,
    m.framework_name IS NOT NULL, {_WISH_COLUMNS}
"""  # to be selected from `frameworks f` with OWN_WISHES

# Taking is deleting: whatever happens before the commit puts them back into the line.
# IS NOT DISTINCT FROM, because it cannot be answered by the index on submissionTime: a whole sweep may have been
# submitted at the same time, and the name is the key.
TAKE = Prepared(
    "notifcenter_take",
    ["integer"],
    f"""
WITH c AS MATERIALIZED (
    DELETE FROM notifications_capturedchange WHERE id = ANY(ARRAY(
        SELECT id FROM notifications_capturedchange ORDER BY id LIMIT %s)) RETURNING *
)
SELECT {", ".join("c." + column for column in _COPIED.split(", "))},
    extract(epoch FROM now() - c.changed_at)::float8, c.id, {JOB_COLUMNS}
FROM c LEFT JOIN frameworks f ON f.name = c.framework_name
    AND f."submissionTime" IS NOT DISTINCT FROM c.submission_time
{OWN_WISHES}
ORDER BY c.id
""",  # noqa: S608 - constants only
)


@lru_cache(maxsize=3**5)
def _asked(wishes: tuple[bool | None, ...]) -> frozenset[Event]:
    return frozenset(event for event, on in zip(NOTIFICATION_COLUMNS, wishes, strict=True) if on)


class JobRow(NamedTuple):
    """The columns of a job's row that matter to us. `present` is False when the row is gone.

    `wishes` are the cluster's own, `mirrored` tells whether the row shows something else.
    """

    present: bool
    state: str | None
    job_name: str | None
    virtual_cluster: str | None
    gpus: int | None
    exit_code: int | None
    retries: int | None
    launch_time: datetime | None
    completion_time: datetime | None
    job_config: str | None
    mirrored: bool
    wishes: tuple[bool | None, ...]

    @classmethod
    def of(cls, row: Sequence[object]) -> JobRow:
        wishes = tuple(row[11:])
        return cls(*row[:11], wishes)  # type: ignore[call-arg, arg-type]  # typed by JOB_COLUMNS

    @property
    def columns(self) -> frozenset[Event]:
        return _asked(self.wishes)

    def facts(self, submission_time: datetime) -> RowFacts:
        return RowFacts(
            exit_code=self.exit_code,
            retries=self.retries,
            gpus=self.gpus,
            submission_time=submission_time,
            launch_time=self.launch_time,
            completion_time=self.completion_time,
        )


class TakenChange(NamedTuple):
    """A change that has left the line, if the transaction commits.

    `age_seconds`: when that transaction began. `counted`: the metrics have it, or shall not have it.
    """

    change: StateChange
    user_name: str | None
    only_events: frozenset[str] | None
    ended_attempt: str | None
    counted: bool
    age_seconds: float
    id: int
    row: JobRow


def take(limit: int) -> list[TakenChange]:
    """The oldest changes. One job's changes are in order: its row lock orders the writers' ids."""
    with connection.cursor() as cursor:
        TAKE.execute(cursor, [limit])
        return [
            TakenChange(
                change=StateChange(row[0], row[1], row[3], row[4], row[5], row[6], row[7]),
                user_name=row[2],
                only_events=None if row[8] is None else frozenset(row[8]),
                ended_attempt=row[9],
                counted=row[10],
                age_seconds=row[11],
                id=row[12],
                row=JobRow.of(row[13:]),
            )
            for row in cursor.fetchall()
        ]


def snapshots(framework_names: list[str]) -> Iterator[tuple[str, str]]:
    """(name, snapshot) of these jobs, but for those that are absent or too large to be read.

    SNAPSHOTS_AT_ONCE × MAX_SNAPSHOT_BYTES are in memory at the most.
    """
    with connection.cursor() as cursor:
        for start in range(0, len(framework_names), SNAPSHOTS_AT_ONCE):
            cursor.execute(
                "SELECT name, snapshot FROM frameworks WHERE name = ANY(%s) AND octet_length(snapshot) <= %s",
                [framework_names[start : start + SNAPSHOTS_AT_ONCE], MAX_SNAPSHOT_BYTES],
            )
            yield from cursor.fetchall()


def waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM notifications_capturedchange)")
        return bool(cursor.fetchone()[0])


def put_aside(errors: Iterable[tuple[TakenChange, str]]) -> None:
    """Keep changes that were taken but not understood, each with why, until somebody tries them again.

    They count as counted: the metrics of the jobs do not need to understand them.
    """
    with connection.cursor() as cursor:
        for taken, error in errors:
            change = taken.change
            events = None if taken.only_events is None else list(taken.only_events)
            values = [*change[:2], taken.user_name, *change[2:], events, taken.ended_attempt, error]
            cursor.execute(_PUT_ASIDE, values)


def put_aside_waiting(change_id: int | None, error: str) -> bool:
    """Take this change, or else the first one, out of the line; False when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_PUT_ASIDE_WAITING, [change_id, error])
        return bool(cursor.rowcount)


def try_again(ids: Collection[int]) -> int:
    """Put changes that were put aside back into the line; returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TRY_AGAIN, [list(ids)])
        count: int = cursor.rowcount
        wake_poller()
    return count


def wake_poller() -> None:
    """Ask the poller to look as soon as the present transaction has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [names.CHANGES_CHANNEL])


def queue_present_state(*, framework_name: str, submission_time: datetime, events: Collection[Event]) -> None:
    """Have the job's present state told, if it is one of `events` and was not told yet."""
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT_STATE, [framework_name, submission_time, [event.value for event in events]])
        wake_poller()
