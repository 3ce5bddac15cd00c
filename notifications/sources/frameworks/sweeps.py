"""Which jobs of a batch belong to groups, from the captured changes and from a slow look at the jobs known as open."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from django.db import connection

from notifications.events import JobEvent
from notifications.groups.following import Followed, Sighting, follow
from notifications.groups.models import OPEN_STATES, JobGroup, JobState, name_of_group
from notifications.sources.base import Candidate, UndigestibleError
from notifications.sources.frameworks.changes import TakenChange
from notifications.sources.frameworks.models import plain_job_name
from notifications.sources.frameworks.transitions import RUNNING, STOPPING, WAITING
from notifications.sources.frameworks.waiting import DueWait
from notifications.sources.usernames import valid_username
from preferences.kinds import Event
from preferences.rules import JobFile

LOOK_SECONDS = 5.0
LOOK_JOBS = 1000
KEPT_DAYS = 90
FORGOTTEN_AT_ONCE = 20
FORGOTTEN_JOBS = 1000
"""Of these sweeps, in one transaction."""

STATES = {
    WAITING: JobState.WAITING,
    RUNNING: JobState.RUNNING,
    STOPPING: JobState.RUNNING,
    "SUCCEEDED": JobState.SUCCEEDED,
    "FAILED": JobState.FAILED,
    "STOPPED": JobState.STOPPED,
}

# A row that was written a moment ago may have its change in the queue still.
_LOOK = f"""
WITH page AS MATERIALIZED (
    SELECT framework_name, submission_time, state FROM notifications_groupjob
    WHERE (framework_name, submission_time) > (%s, %s) ORDER BY framework_name, submission_time LIMIT {LOOK_JOBS}
)
SELECT page.framework_name, page.submission_time, page.state, f.state,
    page.state IN ({", ".join(str(state.value) for state in OPEN_STATES)})
    AND COALESCE(f."updatedAt" < now() - interval '1 minute', true)
FROM page LEFT JOIN frameworks f ON f.name = page.framework_name
    AND f."submissionTime" IS NOT DISTINCT FROM page.submission_time
ORDER BY page.framework_name, page.submission_time
"""  # noqa: S608 - constants only

# The next ones, round and round: those that go on for ever must not hide what has come after them. The last of their
# jobs take the sweeps along.
_FORGET = f"""
WITH page AS MATERIALIZED (
    SELECT id, changed_at < now() - interval '{KEPT_DAYS} days' AS is_old
    FROM notifications_jobgroup WHERE id > %s ORDER BY id LIMIT {FORGOTTEN_AT_ONCE}
), old AS MATERIALIZED (
    SELECT job.place FROM page CROSS JOIN LATERAL (
        SELECT ctid AS place FROM notifications_groupjob WHERE group_id = page.id LIMIT {FORGOTTEN_JOBS}) AS job
    WHERE is_old LIMIT {FORGOTTEN_JOBS}
), jobs AS (
    DELETE FROM notifications_groupjob WHERE ctid = ANY(ARRAY(SELECT place FROM old))
), groups AS (
    DELETE FROM notifications_jobgroup
    WHERE id = ANY(ARRAY(SELECT id FROM page WHERE is_old)) AND (SELECT count(*) FROM old) < {FORGOTTEN_JOBS}
)
SELECT count(*), max(id), (SELECT count(*) FROM old) FROM page
"""  # noqa: S608 - constants only

Place = tuple[str, datetime]
_START: Place = ("", datetime.fromisoformat("0001-01-01T00:00:00+00:00"))


class Sweeps:
    """The poller's own: it remembers how far it has looked at groups and at their jobs."""

    def __init__(self) -> None:
        self._place = _START
        self._look_at = 0.0
        self._in_haste = True
        self._kept_up_to = 0

    def follow(self, taken: Sequence[TakenChange], due: Sequence[DueWait], *, look: bool) -> Followed:
        """`look`: there is no backlog, so what the table shows is not ahead of the queue."""
        sightings = [*_changed(taken), *_waiting(due)]
        if look and (self._in_haste or time.monotonic() >= self._look_at):
            sightings += self._different()
        return follow(sightings) if sightings else Followed()

    def look_again(self) -> None:
        """Changes may have been missed: look at all jobs of groups, without a pause."""
        self._place, self._in_haste = _START, True

    def forget_old(self) -> None:
        """A bounded part of what is too old."""
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, [self._kept_up_to])
            count, last, jobs = cursor.fetchone()
        if jobs < FORGOTTEN_JOBS:  # else there may be more of the same sweeps
            self._kept_up_to = last if count == FORGOTTEN_AT_ONCE else 0

    def _different(self) -> Iterator[Sighting]:
        """Of the next LOOK_JOBS those that are gone from the cluster's table, or in another state there."""
        with connection.cursor() as cursor:
            cursor.execute(_LOOK, self._place)
            rows = cursor.fetchall()
        if len(rows) == LOOK_JOBS:
            self._place = rows[-1][:2]
        else:
            self._place, self._in_haste = _START, False
        self._look_at = time.monotonic() + LOOK_SECONDS
        for name, submitted, known, state, worth in rows:
            present = STATES.get(state)
            if worth and present != known and (present or state is None):
                yield Sighting(name, submitted, present)


def ending(group: JobGroup) -> Candidate:
    """That the last of its jobs has ended, which somebody has asked to be told."""
    details = {"sweep": {"id": group.pk, "jobs": group.jobs, **group.counts}}
    event = Event.FAILED if group.failed else Event.SUCCEEDED if group.succeeded else Event.STOPPED
    return Candidate(
        event=JobEvent(
            name_of_group(group.pk), group.started_at, event, group.times_told, group.changed_at, details
        ),
        username=group.user_name,
        job_name=group.stem,
        virtual_cluster=group.virtual_cluster,
        file=JobFile(columns=frozenset({event})),
    )


def _changed(taken: Sequence[TakenChange]) -> Iterator[Sighting]:
    for one in taken:
        row, change = one.row, one.change
        # What was not captured but found in the table may have passed meanwhile.
        state = STATES.get((row.state if one.counted and row.present else change.new_state) or "")
        if state is None or (owner := _owner(one.user_name)) is None:
            continue
        name = plain_job_name(row.job_name, owner, change.framework_name) if row.present else ""
        yield Sighting(
            change.framework_name,
            change.submission_time,
            state,
            owner,
            row.virtual_cluster or "",
            name,
            change.changed_at,
        )


def _waiting(due: Sequence[DueWait]) -> Iterator[Sighting]:
    for one in due:
        if one.row.present and one.row.state == WAITING:
            wait, row = one.wait, one.row
            name = plain_job_name(row.job_name, wait.user_name, wait.framework_name)
            cluster = row.virtual_cluster or ""
            yield Sighting(*wait.job, JobState.WAITING, wait.user_name, cluster, name, wait.since)


@lru_cache(maxsize=4096)
def _owner(name: str | None) -> str | None:
    try:
        return valid_username(name)
    except UndigestibleError:
        return None
