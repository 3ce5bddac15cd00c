"""How long a delivery, and a channel, waits before it is tried again."""

from __future__ import annotations

from itertools import pairwise

import pytest

from notifications.delivery.backoff import (
    FIRST_REST_SECONDS,
    LONGEST_REST_SECONDS,
    MAX_REFUSALS,
    Breaker,
    pause_seconds,
)


def no_jitter(low: float, high: float) -> float:
    return (low + high) / 2


def pauses() -> list[float]:
    found = [pause_seconds(refusals, no_jitter) for refusals in range(1, MAX_REFUSALS)]
    return [seconds for seconds in found if seconds is not None]


def test_pauses_grow_from_a_minute_to_hours() -> None:
    assert pauses()[:4] == [60, 5 * 60, 15 * 60, 60 * 60]
    assert all(earlier <= later for earlier, later in pairwise(pauses()))


def test_ten_refusals_take_about_a_day() -> None:
    assert len(pauses()) == 9
    assert sum(pauses()) == pytest.approx(24 * 3600, rel=0.1)


def test_after_the_last_refusal_there_is_no_pause() -> None:
    assert pause_seconds(MAX_REFUSALS) is None
    assert pause_seconds(MAX_REFUSALS + 5) is None


def test_jitter_spreads_what_failed_together() -> None:
    found = {pause_seconds(1) or 0 for _ in range(50)}
    assert len(found) > 40
    assert all(48 <= seconds <= 72 for seconds in found)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_channel_that_is_down_rests_longer_each_time_until_something_was_sent() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    rests = []
    for _ in range(8):
        rests.append(breaker.opened("email"))
        assert breaker.resting(["email", "other"]) == ["email"]
        clock.now += rests[-1]
        assert breaker.resting(["email"]) == []
    assert rests[:3] == [FIRST_REST_SECONDS, 2 * FIRST_REST_SECONDS, 4 * FIRST_REST_SECONDS]
    assert rests[-1] == LONGEST_REST_SECONDS
    breaker.closed("email")
    assert breaker.opened("email") == FIRST_REST_SECONDS


def test_threads_that_find_the_same_outage_count_once() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    assert breaker.opened("email") == FIRST_REST_SECONDS
    clock.now += 1
    assert breaker.opened("email") == FIRST_REST_SECONDS - 1
