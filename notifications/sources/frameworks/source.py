"""OpenPAI's `frameworks` table as a source of events."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from django.conf import settings

from notifications.events import JobEvent
from notifications.groups.following import Membership
from notifications.groups.models import is_group
from notifications.sources.base import Batch, Candidate, Source, UndigestibleError
from notifications.sources.frameworks import capture, changes, marks, reconcile, waiting, wish_columns
from notifications.sources.frameworks.changes import JobRow, TakenChange
from notifications.sources.frameworks.counts import JobCounts
from notifications.sources.frameworks.diagnoses import Diagnoses
from notifications.sources.frameworks.exit_spec import ExitSpecFile
from notifications.sources.frameworks.models import plain_job_name
from notifications.sources.frameworks.sweeps import Sweeps, ending
from notifications.sources.frameworks.transitions import (
    STATE_EVENTS,
    WAITING,
    events_of,
)
from notifications.sources.frameworks.waiting import DueWait, Wait
from notifications.sources.usernames import valid_username
from preferences.job_protocol import NO_BLOCK, as_job_file, read_block
from preferences.kinds import Event
from preferences.rules import NO_FILE, NO_OVERRIDE, JobFile, waiting_limit_minutes
from preferences.wishes import Wishes

logger = logging.getLogger(__name__)

DUE_SECONDS = 1.0
"""How often waits are looked at while there are changes to handle."""


@dataclass(slots=True)
class FrameworkBatch(Batch):
    """Beside the candidates: what leaves the queue, and how the waits of the jobs change.

    `waits` holds the wait that begins, or None for one that is over. `mirrored` are the rows that show what was
    set for their job here.
    """

    undigestible: list[tuple[TakenChange, str]] = field(default_factory=list)
    waits: dict[str, Wait | None] = field(default_factory=dict)
    files: dict[str, JobFile] = field(default_factory=dict)
    due: list[DueWait] = field(default_factory=list)
    mirrored: set[str] = field(default_factory=set)

    def involve(self, wait: Wait, file: JobFile) -> None:
        self.usernames.add(wait.user_name)
        self.frameworks.add(wait.framework_name)
        self.files[wait.framework_name] = file


class FrameworkSource(Source):
    def __init__(self) -> None:
        self._look_for_due_at = 0.0
        self._first_taken: int | None = None
        self._exit_spec = ExitSpecFile(settings.PAI_EXIT_SPEC)
        self._counts = JobCounts()
        self._sweeps = Sweeps()

    def take(self, limit: int) -> FrameworkBatch | None:
        self._first_taken = None
        taken = changes.take(limit)
        self._first_taken = taken[0].id if taken else 0
        batch = FrameworkBatch(is_full=len(taken) == limit)
        if taken:
            diagnoses = Diagnoses(taken, self._exit_spec.current())
            _digest(taken, batch, diagnoses)
            self._count(taken, batch, diagnoses)
        # Not behind a backlog, in which the end of a wait may still be on its way.
        if not taken or (not batch.is_full and time.monotonic() >= self._look_for_due_at):
            batch.due = waiting.due(limit)
            self._look_for_due_at = time.monotonic() + DUE_SECONDS
        for due in batch.due:
            batch.involve(due.wait, _job_file(due.row))
        followed = self._sweeps.follow(taken, batch.due, look=not batch.is_full)
        batch.groups = followed.memberships
        for group in followed.ended:
            end = ending(group)
            batch.groups[end.job] = Membership(group.pk, muted=False)  # it was asked for by itself
            batch.add(end)
        return batch if taken or batch.due or followed.ended else None

    def add_timed(self, batch: Batch, wishes: Wishes) -> None:
        assert isinstance(batch, FrameworkBatch)
        for name, wait in batch.waits.items():
            if wait is not None:
                batch.waits[name] = _with_due(wait, _limit(wait, batch, wishes))
        for due in batch.due:
            if due.wait.framework_name not in batch.waits:  # else a change of this batch knows better
                batch.waits[due.wait.framework_name] = _looked_at(due, batch, wishes)

    def finish(self, batch: Batch, told: Collection[str]) -> None:
        assert isinstance(batch, FrameworkBatch)
        waiting.follow(batch.waits, batch.last)
        for one, error in batch.undigestible:
            logger.warning("change put aside framework=%r error=%r", one.change.framework_name, error)
        changes.put_aside(batch.undigestible)
        if batch.mirrored:
            wish_columns.request_again(batch.mirrored)
        # Last, because it locks rows of the cluster until the commit.
        marks.mirror([name for name in told if not is_group(name)], batch.last)

    def put_aside(self, error: str) -> bool:
        logger.warning("change put aside error=%r", error.partition("\n")[0])  # its details are the row
        if (
            self._first_taken
        ):  # not what has come before it meanwhile: the writers' ids are not in commit order
            changes.put_aside_waiting(self._first_taken, error)
            return True
        if self._first_taken is None and changes.put_aside_waiting(None, error):
            return True
        return waiting.give_up_oldest()

    def reconcile(self) -> int:
        queued = reconcile.reconcile()
        self._counts.count_anew()
        self._sweeps.look_again()
        return queued

    def reconcile_recent(self) -> None:
        reconcile.note_absence()
        self.reconcile()

    def look_after(self) -> None:
        if reconcile.note_presence(capture.is_capturing()):
            self.reconcile()
        marks.mirror_pending()
        wish_columns.write_pending()
        self._sweeps.forget_old()

    def problem(self) -> str:
        return " ".join(capture.missing())

    def put_back(self) -> str:
        try:
            done = capture.put_back()
        except capture.CaptureError as error:
            return str(error)
        for one in done:
            logger.warning("capture put back done=%r", one)
        return ""

    def has_work(self) -> bool:
        return changes.waiting()

    def _count(self, taken: list[TakenChange], batch: FrameworkBatch, diagnoses: Diagnoses) -> None:
        new = [one for one in taken if not one.counted]
        self._counts.count(new, diagnoses.of, batch.tally)
        batch.ages.extend(one.age_seconds for one in new)


def _digest(taken: list[TakenChange], batch: FrameworkBatch, diagnoses: Diagnoses) -> None:
    for one in taken:
        try:
            candidates = list(_candidates(one, diagnoses))
        except UndigestibleError as error:
            batch.undigestible.append((one, str(error)))
            continue
        for candidate in candidates:
            batch.add(candidate)
        if one.row.mirrored:
            batch.mirrored.add(one.change.framework_name)
        _follow_wait(one, batch)


def _candidates(one: TakenChange, diagnoses: Diagnoses) -> Iterator[Candidate]:
    """Raises UndigestibleError, also for an owner who cannot have an account."""
    username = valid_username(one.user_name)
    now, retry = partial(diagnoses.of, one), partial(diagnoses.of_retry, one)
    events = events_of(one.change, one.row.gpus, now, retry)
    file = _job_file(one.row) if events else NO_FILE
    for event in events:
        if one.only_events is None or (event.event in one.only_events and not _is_over(event.event, one)):
            yield _candidate(event, username, one.row, file)


def _is_over(event: Event, one: TakenChange) -> bool:
    """Whether the state that was queued as the present one (and not captured) has passed meanwhile."""
    return STATE_EVENTS.get(one.change.new_state or "") == event and one.row.state != one.change.new_state


def _candidate(event: JobEvent, username: str, row: JobRow, file: JobFile) -> Candidate:
    name = plain_job_name(row.job_name, username, event.framework_name)
    return Candidate(event, username, name, row.virtual_cluster or "", file)


def _job_file(row: JobRow) -> JobFile:
    return (
        as_job_file(read_block(row.job_config), row.columns) if row.job_config else _columns_only(row.columns)
    )


@lru_cache(maxsize=32)
def _columns_only(columns: frozenset[Event]) -> JobFile:
    """What most jobs' files say: nothing but the columns. There are as many of these as ways to set five columns."""
    return as_job_file(NO_BLOCK, columns)


def _follow_wait(one: TakenChange, batch: FrameworkBatch) -> None:
    """Begin or end a wait, unless the change is old news: another submission, or the job has gone on since."""
    change, row = one.change, one.row
    if not row.present:
        return  # a wait that is left over is forgotten when it is due
    if row.state != WAITING:
        batch.waits[change.framework_name] = None
    elif change.begins_wait and change.retries == (row.retries or 0):
        wait = Wait(
            change.framework_name,
            change.submission_time,
            valid_username(one.user_name),
            change.retries,
            change.changed_at,
        )
        batch.waits[wait.framework_name] = wait
        batch.involve(wait, _job_file(row))


def _limit(wait: Wait, batch: FrameworkBatch, wishes: Wishes) -> int | None:
    return waiting_limit_minutes(
        override=wishes.overrides.get(wait.job, NO_OVERRIDE),
        file=batch.files[wait.framework_name],
        owner=wishes.owners[wait.user_name].wishes,
        site=wishes.site,
    )


def _with_due(wait: Wait, minutes: int | None) -> Wait:
    return replace(wait, due_at=None if minutes is None else wait.limit_reached_at(minutes))


def _looked_at(due: DueWait, batch: FrameworkBatch, wishes: Wishes) -> Wait | None:
    """What becomes of a wait whose time has come; adds the event when its limit is really reached."""
    wait = due.wait
    if not due.row.present or due.row.state != WAITING:
        return None
    minutes = _limit(wait, batch, wishes)
    if minutes is None or wait.limit_reached_at(minutes) > due.now:
        return _with_due(wait, minutes)
    details = {
        "waited_seconds": int((due.now - wait.since).total_seconds()),
        "limit_minutes": minutes,
        **({} if due.row.gpus is None else {"gpus": due.row.gpus}),
    }
    event = JobEvent(*wait.job, Event.WAITING_TOO_LONG, wait.ordinal, wait.limit_reached_at(minutes), details)
    batch.add(_candidate(event, wait.user_name, due.row, batch.files[wait.framework_name]))
    return _with_due(wait, None)
