"""Pollers killed with SIGKILL in the middle of a batch: all of it counts, or none of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from notifications.models import CapturedChange, Delivery, FailedChange, PendingMark
from tests.chaos.ledger import CHANGES_OF_A_LIFE, TOLD, WRITERS, Cluster, Told, marks_wrong
from tests.chaos.site import Pollers
from tests.processes import environment, manage, running, wait_for
from tests.scrapes import scrape

SEED = 20261122
KILLS = 10
LONGEST_WAIT_FOR_A_BATCH_SECONDS = 3.0
JOBS = [(f"job-{number}", f"user-{number % 10}") for number in range(400)]
CHANGES = len(JOBS) * CHANGES_OF_A_LIFE
CHANGES_FOR_A_KILL = CHANGES // (KILLS + 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(180)
def test_a_batch_cut_off_is_told_exactly_once_and_in_order(
    tmp_path: Path, ledger: Callable[[str], None]
) -> None:
    User.objects.bulk_create(User(username=owner, email=f"{owner}@example.org") for _, owner in JOBS[:10])
    cluster, started, hits = Cluster(JOBS, seed=SEED), time.monotonic(), 0

    with ExitStack() as stack:
        pollers = Pollers(
            lambda _, number: stack.enter_context(
                running(manage("poll_frameworks"), tmp_path / f"poller-{number}.log", environment())
            )
        )
        pool = stack.enter_context(ThreadPoolExecutor(WRITERS))
        stack.callback(cluster.write, CHANGES)  # a test that fails must not leave writers waiting
        writers = [pool.submit(cluster.run, number) for number in range(WRITERS)]
        for _ in range(KILLS):
            pollers.wait_for_one()
            cluster.write(CHANGES_FOR_A_KILL)
            hits += pollers.kill_in_a_batch(seconds=LONGEST_WAIT_FOR_A_BATCH_SECONDS)
        cluster.write(CHANGES - KILLS * CHANGES_FOR_A_KILL)
        for writer in writers:
            writer.result()
        wait_for(lambda: not CapturedChange.objects.exists(), what="all changes are taken")
        wait_for(lambda: not PendingMark.objects.exists(), what="all marks are made")
        assert not pollers.ended()

    told = Told.of(JOBS)
    ledger(
        f"{KILLS} pollers killed, {hits} in a batch, in {CHANGES} changes: {told.expected} notifications, "
        f"lost {told.lost}, doubles {told.too_much}; {time.monotonic() - started:.0f} s"
    )
    assert hits >= KILLS // 2, "the kills must have something to interrupt"
    assert told == Told(expected=len(JOBS) * len(TOLD), lost=0, too_much=0, out_of_order=0)
    assert Delivery.objects.count() == told.expected
    assert not FailedChange.objects.exists()
    assert not marks_wrong(JOBS)

    counted = scrape()
    assert counted.counts("jobs") == {("SUCCEEDED", "default"): len(JOBS)}
    assert counted.counts("job_ends_total") == {("none", "SUCCEEDED", "default"): len(JOBS)}
    assert counted["job_waiting_seconds_count"] == len(JOBS)
    assert counted["change_to_commit_seconds_count"] == CHANGES
    told_by_event = Counter(event for event, _ in TOLD * len(JOBS))
    assert counted.counts("notifications_total") == {
        (event,): count for event, count in told_by_event.items()
    }
