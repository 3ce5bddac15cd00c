"""The life of a job as spans of waiting and running, from what is known of it: pure, over plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from notifications import wording
from preferences.kinds import Event

ALIVE = frozenset({"WAITING", "RUNNING", "STOPPING", "UNKNOWN"})
RAN_BEFORE = frozenset({Event.RUNNING, Event.SUCCEEDED, Event.FAILED, Event.STOPPED})
"""What tells of a job that runs, or ran: how long it waited for that."""
LEAST_PERCENT = 0.6
"""Of the whole: a span that is shorter is drawn as wide, so that it can be seen."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that was told: its event, when it took place, and its details."""

    event: str
    at: datetime
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """`end` is the present when the job `is_open` still. `ending`: the event by which the attempt ended, '' for none;
    `why`, in the active language. `x` and `width`: in percent of the whole life."""

    runs: bool
    attempt: int
    start: datetime
    end: datetime
    is_open: bool = False
    ending: str = ""
    why: str = ""
    x: float = 0
    width: float = 0

    @property
    def duration(self) -> str:
        return wording.duration(int((self.end - self.start).total_seconds()))


def spans_of(
    *,
    submitted: datetime,
    launched: datetime | None,
    completed: datetime | None,
    state: str,
    told: Sequence[Moment],
    now: datetime,
) -> list[Span]:
    """In their order. `launched` and `completed` as the cluster has them: a job that never ran was launched when it
    was completed. What is not known of an attempt is left out, and is part of the one that follows. How long it waited
    before its only attempt is said as what was told has it: the cluster's `launched` can be some seconds apart."""
    spans: list[Span] = []
    if all(one.event != Event.RETRIED for one in told):
        launched = _first_ran(submitted, told) or launched
    start, attempt = submitted, 1
    for one in told:
        if one.event == Event.RETRIED and start < one.at and not one.details.get("skipped"):
            attempt = wording.number(one.details, "attempt") or attempt
            spans += _attempt(attempt, start, one.at, _ran_from(one, start, launched), one)
            start, attempt = one.at, attempt + 1
    last = next((one for one in reversed(told) if one.event == state.lower()), None)
    ended = completed or (last.at if last else None)
    is_open = state in ALIVE or ended is None
    end = now if is_open or ended is None else ended
    ran_before = launched is not None and launched < start and state in ("SUCCEEDED", "FAILED")
    runs = state == "RUNNING" or ran_before  # nobody knows since when
    ran_from = _last_ran_from(last, start, end, launched, is_open=is_open, runs=runs)
    spans += _attempt(attempt, start, max(start, end), ran_from, None if is_open else last, is_open=is_open)
    return _placed(spans)


def _first_ran(submitted: datetime, told: Sequence[Moment]) -> datetime | None:
    """None when nothing that was told says it. What tells of an end knows it best: it has read when the tasks began."""
    for one in reversed(told):
        waited = wording.number(one.details, "waited_seconds")
        if one.event in RAN_BEFORE and waited is not None and one.details.get("never_ran") is not True:
            return submitted + timedelta(seconds=waited)
    return None


def _attempt(
    number: int,
    start: datetime,
    end: datetime,
    ran_from: datetime | None,
    ended: Moment | None,
    *,
    is_open: bool = False,
) -> list[Span]:
    ending, why = (ended.event, wording.why(ended.details)) if ended else ("", "")
    ran_from = min(max(ran_from, start), end) if ran_from else end
    if ran_from == end and not is_open:
        return [Span(False, number, start, end, ending=ending, why=why)]
    waited = [Span(False, number, start, ran_from, is_open and ran_from == end)] if ran_from > start else []
    ran = [Span(True, number, ran_from, end, is_open, ending, why)] if ran_from < end else []
    return waited + ran


def _ran_from(retry: Moment, start: datetime, launched: datetime | None) -> datetime | None:
    ran = wording.number(retry.details, "ran_seconds")
    if ran is not None:
        return retry.at - timedelta(seconds=ran)
    if retry.details.get("never_ran") is True:
        return None
    return launched if launched and start <= launched < retry.at else start


def _last_ran_from(
    last: Moment | None,
    start: datetime,
    end: datetime,
    launched: datetime | None,
    *,
    is_open: bool,
    runs: bool,
) -> datetime | None:
    if launched and start <= launched < end and (runs or not is_open):
        return launched
    if last and last.details.get("never_ran") is not True and not is_open:
        ran = wording.number(last.details, "last_ran_seconds")
        if ran is not None:
            return end - timedelta(seconds=ran)
    return start if runs and not (last and last.details.get("never_ran") is True) else None


def _placed(spans: list[Span]) -> list[Span]:
    """With their places in percent of the whole."""
    whole = (spans[-1].end - spans[0].start).total_seconds() if spans else 0
    if not whole:
        return []
    placed = []
    for one in spans:
        before = (one.start - spans[0].start).total_seconds() * 100 / whole
        width = max((one.end - one.start).total_seconds() * 100 / whole, LEAST_PERCENT)
        placed.append(replace(one, x=round(min(before, 100 - width), 2), width=round(width, 2)))
    return placed
