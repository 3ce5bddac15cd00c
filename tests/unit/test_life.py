"""A job's life as spans, told as a table: minutes since its submission."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifications.life import Moment, Span, spans_of

START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
OOM = {"why": "out of memory"}


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def retried(minutes: float, number: int, **details: Any) -> Moment:
    return Moment("retried", at(minutes), {"attempt": number, **details})


def ended(event: str, minutes: float, **details: Any) -> Moment:
    return Moment(event, at(minutes), details)


def lived(
    state: str, *told: Moment, launched: float | None = None, completed: float | None = None
) -> list[Span]:
    return spans_of(
        submitted=START,
        launched=None if launched is None else at(launched),
        completed=None if completed is None else at(completed),
        state=state,
        told=told,
        now=at(100),
    )


W, R = False, True
LIVES = [
    ("waits", lived("WAITING"), [(W, 1, 0, 100)]),
    ("runs", lived("RUNNING", launched=20), [(W, 1, 0, 20), (R, 1, 20, 100)]),
    ("ran", lived("SUCCEEDED", launched=20, completed=50), [(W, 1, 0, 20), (R, 1, 20, 50)]),
    (
        "ended, the cluster does not say when",
        lived("FAILED", ended("failed", 40, never_ran=True)),
        [(W, 1, 0, 40)],
    ),
    (
        "waited as long as was told, whatever the cluster says of its launch",
        lived(
            "FAILED", ended("failed", 50, waited_seconds=1140, ran_seconds=1860), launched=20, completed=50
        ),
        [(W, 1, 0, 19), (R, 1, 19, 50)],
    ),
    (
        "was seen running a little later than it ran",
        lived(
            "FAILED",
            Moment("running", at(20), {"waited_seconds": 1200}),
            ended("failed", 50, waited_seconds=1140, ran_seconds=1860),
            completed=50,
        ),
        [(W, 1, 0, 19), (R, 1, 19, 50)],
    ),
    (
        "waited too long, which is not yet how long it waited",
        lived("RUNNING", Moment("waiting_too_long", at(10), {"waited_seconds": 600}), launched=20),
        [(W, 1, 0, 20), (R, 1, 20, 100)],
    ),
    ("never ran", lived("STOPPED", launched=30, completed=30), [(W, 1, 0, 30)]),
    (
        "was retried and runs",
        lived("RUNNING", retried(40, 1, ran_seconds=1200), launched=20),
        [(W, 1, 0, 20), (R, 1, 20, 40), (R, 2, 40, 100)],
    ),
    (
        "was retried and waits",
        lived("WAITING", retried(40, 1, ran_seconds=1200), launched=20),
        [(W, 1, 0, 20), (R, 1, 20, 40), (W, 2, 40, 100)],
    ),
    (
        "failed twice",
        lived(
            "FAILED",
            retried(40, 1, ran_seconds=1200),
            ended("failed", 80, last_ran_seconds=600),
            launched=20,
            completed=80,
        ),
        [(W, 1, 0, 20), (R, 1, 20, 40), (W, 2, 40, 70), (R, 2, 70, 80)],
    ),
    (
        "an attempt that never ran",
        lived("RUNNING", retried(10, 1, never_ran=True), launched=30),
        [(W, 1, 0, 10), (W, 2, 10, 30), (R, 2, 30, 100)],
    ),
    (
        "retries that nobody was told of",
        lived("SUCCEEDED", retried(60, 3, ran_seconds=60), launched=5, completed=90),
        [(W, 3, 0, 59), (R, 3, 59, 60), (R, 4, 60, 90)],
    ),
    ("clocks that differ", lived("RUNNING", retried(-5, 1), launched=-1), [(R, 1, 0, 100)]),
    (
        "a longer run than life",
        lived("WAITING", retried(5, 1, ran_seconds=10**6)),
        [(R, 1, 0, 5), (W, 2, 5, 100)],
    ),
]


@pytest.mark.parametrize(("spans", "expected"), [life[1:] for life in LIVES], ids=[life[0] for life in LIVES])
def test_lives(spans: list[Span], expected: list[tuple[bool, int, float, float]]) -> None:
    assert [(one.runs, one.attempt, one.start, one.end) for one in spans] == [
        (runs, attempt, at(start), at(end)) for runs, attempt, start, end in expected
    ]


def test_only_what_goes_on_is_open_and_only_what_ended_says_why() -> None:
    spans = lived("RUNNING", retried(40, 1, ran_seconds=1200, **OOM), launched=20)
    assert [one.is_open for one in spans] == [False, False, True]
    assert [(one.ending, one.why) for one in spans] == [("", ""), ("retried", "out of memory"), ("", "")]
    failed = lived("FAILED", ended("failed", 50, **OOM), launched=20, completed=50)
    assert (failed[-1].ending, failed[-1].why, failed[-1].is_open) == ("failed", "out of memory", False)


def test_places_are_percents_and_the_shortest_can_be_seen() -> None:
    spans = lived("SUCCEEDED", launched=0.001, completed=100)
    assert [(one.x, one.width) for one in spans] == [(0, 0.6), (0, 100)]


def test_a_life_of_no_time_is_not_drawn() -> None:
    assert lived("STOPPED", launched=0, completed=0) == []
