"""From one captured change to the events that it means. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from notifications.events import JobEvent
from notifications.sources.base import UndigestibleError
from notifications.sources.frameworks.diagnosis import Diagnosis
from preferences.kinds import Event

WAITING, RUNNING, STOPPING, UNKNOWN = "WAITING", "RUNNING", "STOPPING", "UNKNOWN"
ENDS = {"SUCCEEDED": Event.SUCCEEDED, "FAILED": Event.FAILED, "STOPPED": Event.STOPPED}
STATES = frozenset({WAITING, RUNNING, STOPPING, UNKNOWN, *ENDS})
STATE_EVENTS = {RUNNING: Event.RUNNING, **ENDS}

_NOT_SEEN_RUNNING = frozenset({None, "", WAITING, UNKNOWN})


class StateChange(NamedTuple):
    """`old_state` is None when the row is new, or when only its present state is known.

    Then `old_retries` tells: None for a new row, a number for what a scan of the table has found.
    """

    framework_name: str
    submission_time: datetime
    old_state: str | None
    new_state: str | None
    old_retries: int | None
    new_retries: int | None
    changed_at: datetime

    @property
    def retries(self) -> int:
        return self.new_retries or 0

    @property
    def begins_wait(self) -> bool:
        if self.new_state != WAITING:
            return False
        if self.old_state is None:
            return self.old_retries is None
        return self.old_state != WAITING or self.retried

    @property
    def retried(self) -> bool:
        return self.retries > (self.old_retries or 0)


def ends_first_attempt(change: StateChange) -> bool:
    """Whether just one attempt lies behind the job, which waits again."""
    return change.new_state == WAITING and not change.old_retries and change.retries == 1


def may_hide_a_run(change: StateChange) -> bool:
    """Whether the job may have run without our seeing it: it left WAITING, but not for RUNNING.

    Kubernetes' times have a resolution of one second, and the cluster's writer skips states that it did not
    see itself, so a job can run and end between two writes.
    """
    if change.old_state not in _NOT_SEEN_RUNNING or change.new_state == RUNNING:
        return False
    return change.new_state == STOPPING or change.new_state in ENDS or change.retried


def unseen_start(change: StateChange, diagnosis: Callable[[], Diagnosis]) -> datetime | None:
    """When the job began to run, if it did so without our seeing it."""
    if not may_hide_a_run(change):
        return None
    ran_at = diagnosis().ran_at
    if ran_at is None:
        return change.changed_at if change.new_state == "SUCCEEDED" else None
    # Before what ended it, whatever the clocks of the cluster say.
    return min(ran_at, change.changed_at)


def first_start(change: StateChange, diagnosis: Callable[[], Diagnosis]) -> datetime | None:
    """When the job began to run for the first time, if this change tells. What was unknown may have run before."""
    if change.old_retries or change.old_state not in _NOT_SEEN_RUNNING - {UNKNOWN}:
        return None
    return change.changed_at if change.new_state == RUNNING else unseen_start(change, diagnosis)


def needs_snapshot(change: StateChange) -> bool:
    """Whether the diagnosis, and so the large snapshot, is worth reading."""
    return change.retried or change.new_state in ("FAILED", "STOPPED") or may_hide_a_run(change)


def events_of(
    change: StateChange,
    gpus: int | None,
    diagnosis: Callable[[], Diagnosis],
    retry: Callable[[], Mapping[str, Any]],
) -> list[JobEvent]:
    """The events of a change, in the order in which they happened. Raises UndigestibleError.

    `diagnosis` (of the job as it stands) and `retry` (details of the attempt that a retry has ended) are called
    only when they matter: they cost more than all the rest.
    """
    if change.new_state not in STATES:
        raise UndigestibleError(f"The state {change.new_state!r} is not known.")
    events = []

    def add(event: Event, *, ordinal: int = 0, at: datetime | None = None, details: dict[str, Any]) -> None:
        when = at or change.changed_at
        events.append(JobEvent(change.framework_name, change.submission_time, event, ordinal, when, details))

    def started(at: datetime) -> dict[str, Any]:
        waited = max(0, int((at - change.submission_time).total_seconds()))
        return {"waited_seconds": waited} if gpus is None else {"waited_seconds": waited, "gpus": gpus}

    if at := unseen_start(change, diagnosis):
        add(Event.RUNNING, at=at, details=started(at))
    if change.retried:
        skipped = change.retries - (change.old_retries or 0) - 1
        details = {**retry(), **({"skipped": skipped} if skipped else {})}
        add(Event.RETRIED, ordinal=change.retries, details=details)
    if change.new_state != change.old_state and change.new_state in STATE_EVENTS:
        event = STATE_EVENTS[change.new_state]
        add(event, details=started(change.changed_at) if event is Event.RUNNING else diagnosis().details)
    return events
