"""The pause between two batches of a busy poller."""

from __future__ import annotations

import pytest

from notifications.pacing import LONGEST_SECONDS, SHORTEST_SECONDS, pause_seconds


@pytest.mark.parametrize(
    ("batch_ms", "told", "pause_ms"),
    [
        (1, False, 25),
        (5, False, 40),
        (10, False, 80),
        (20, False, 80),
        (5, True, 25),
        (20, True, 40),
        (30, True, 60),
        (50, True, 50),
        (90, True, 25),
        (2000, False, 25),
    ],
)
def test_a_pause(batch_ms: int, told: bool, pause_ms: int) -> None:
    assert pause_seconds(batch_ms / 1000, told=told) == pytest.approx(pause_ms / 1000)


@pytest.mark.parametrize("told", [True, False])
def test_a_slow_machine_makes_what_is_told_wait_no_longer(told: bool) -> None:
    batches = [step / 1000 for step in range(1, 76)]
    assert all(one + pause_seconds(one, told=told) <= LONGEST_SECONDS + 1e-9 for one in batches)
    assert pause_seconds(10.0, told=told) == SHORTEST_SECONDS
