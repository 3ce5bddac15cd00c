"""No wake-up of a sleeping poller is lost, and a busy cluster is not slowed down by them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from notifications.models import CapturedChange
from notifications.sources.frameworks import names
from tests import processes
from tests.cluster import ALL_EVENTS, submit, told, update
from tests.database import second_session
from tests.pollers import AT_ONCE_SECONDS, asleep, poller_with
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def retry_told(name: str, retries: int) -> bool:
    return told(name)[-1:] == [("retried", retries)]


class TestWakingUp:
    @pytest.fixture
    def patient(self, tmp_path: Path) -> Iterator[processes.Process]:
        """Without a NOTIFY it sleeps for ten minutes, so one lost wake-up fails the test."""
        with poller_with(tmp_path, upkeep_seconds=600) as process:
            wait_for(asleep)
            yield process

    def test_each_change_after_an_idle_moment_is_told_at_once(
        self, patient: processes.Process, ledger: Callable[[str], None]
    ) -> None:
        name = submit("idle", **ALL_EVENTS)
        latencies = []
        for retries in range(1, 201):
            wait_for(asleep)
            started = time.monotonic()
            update(name, retries=retries)
            wait_for(partial(retry_told, name, retries), seconds=AT_ONCE_SECONDS)
            latencies.append(time.monotonic() - started)
        ledger(f"idle: {summary(latencies)}")

    def test_no_wake_up_is_lost_among_many_writers(
        self, patient: processes.Process, ledger: Callable[[str], None]
    ) -> None:
        """Each waits for its own answer, so the poller falls asleep and wakes at every possible moment."""
        rounds, seed = 60, 20261122
        name_of = {number: submit(f"writer-{number}", **ALL_EVENTS) for number in range(8)}

        def write(number: int) -> list[float]:
            dice, latencies = random.Random(seed + number), []
            with (
                second_session() as writer,
                writer.cursor() as cursor,
                second_session(autocommit=True) as reader,
            ):
                look = reader.cursor()
                for retries in range(1, rounds + 1):
                    cursor.execute(
                        "UPDATE frameworks SET retries = %s WHERE name = %s", [retries, name_of[number]]
                    )
                    time.sleep(
                        dice.choice([0, 0, 0.001, 0.01, 0.05])
                    )  # an open transaction keeps the poller awake
                    writer.commit()
                    started = time.monotonic()
                    while True:
                        look.execute(
                            "SELECT 1 FROM notifications_notification WHERE framework_name = %s AND ordinal = %s",
                            [name_of[number], retries],
                        )
                        if look.fetchone():
                            break
                        if time.monotonic() - started > 10 * AT_ONCE_SECONDS:
                            raise AssertionError(f"retry {retries} of writer {number} was never told")
                        time.sleep(0.002)
                    latencies.append(time.monotonic() - started)
                    time.sleep(dice.random() * 0.01)
            return latencies

        with ThreadPoolExecutor(8) as pool:
            latencies = [one for found in pool.map(write, range(8)) for one in found]
        ledger(f"many writers: {summary(latencies)}")
        assert len(latencies) == 8 * rounds
        assert max(latencies) < 2 * AT_ONCE_SECONDS

    def test_no_change_at_the_end_of_a_burst_is_slept_over(
        self, tmp_path: Path, ledger: Callable[[str], None]
    ) -> None:
        """Under load nobody NOTIFYs; the last change may come just when the poller finds nothing more to do."""
        bursts, dice = 60, random.Random(20261122)
        jobs = [submit(f"burst-{number}", **ALL_EVENTS) for number in range(4)]
        written = dict.fromkeys(jobs, 0)

        def write(session: Any, name: str, count: int, pause: float) -> None:
            with session.cursor() as cursor:
                for _ in range(count):
                    written[name] += 1
                    cursor.execute(
                        "UPDATE frameworks SET retries = %s WHERE name = %s", [written[name], name]
                    )
                    time.sleep(pause)

        def all_told() -> bool:
            return not CapturedChange.objects.exists()

        latencies = []
        slow = poller_with(tmp_path, upkeep_seconds=600, falls_asleep_in_seconds=0.02)
        with slow, ThreadPoolExecutor(4) as pool, ExitStack() as stack:
            sessions = [stack.enter_context(second_session(autocommit=True)) for _ in jobs]
            for _ in range(bursts):
                burst = [
                    pool.submit(write, session, name, dice.randint(1, 10), dice.random() * 0.002)
                    for session, name in zip(sessions, jobs, strict=True)
                ]
                for one in burst:
                    one.result()
                time.sleep(dice.random() * 0.08)  # about when the poller finds nothing more, and falls asleep
                write(sessions[0], jobs[0], 1, 0)
                started = time.monotonic()
                wait_for(all_told, seconds=2 * AT_ONCE_SECONDS, what="a burst is told")
                latencies.append(time.monotonic() - started)
        ledger(f"ends of bursts: {summary(latencies)}")

    def test_a_busy_cluster_hardly_ever_notifies(
        self, patient: processes.Process, ledger: Callable[[str], None]
    ) -> None:
        """NOTIFY serialises commits, which would halve the cluster's rate."""
        changes, stop = 0, threading.Event()
        names_ = [submit(f"busy-{number}") for number in range(4)]

        def write(name: str) -> int:
            count = 0
            with second_session(autocommit=True) as session, session.cursor() as cursor:
                while not stop.is_set():
                    count += 1
                    cursor.execute("UPDATE frameworks SET retries = %s WHERE name = %s", [count, name])
            return count

        with second_session(autocommit=True) as listener, ThreadPoolExecutor(4) as pool:
            listener.cursor().execute(f"LISTEN {names.CHANGES_CHANNEL}")
            running = [pool.submit(write, name) for name in names_]
            threading.Timer(2.0, stop.set).start()
            changes = sum(one.result() for one in running)
            listener.cursor().execute("SELECT 1")
            listener.poll()
            notified = len(listener.notifies)
        ledger(f"busy: {changes} changes, {notified} times NOTIFY")
        assert changes > 500
        assert notified < changes / 4
        wait_for(lambda: not CapturedChange.objects.exists())

    def test_a_rolled_back_change_neither_wakes_nor_blocks(self, patient: processes.Process) -> None:
        name = submit(**ALL_EVENTS)
        wait_for(asleep)
        with second_session() as writer, writer.cursor() as cursor:
            cursor.execute("UPDATE frameworks SET retries = 7 WHERE name = %s", [name])
            writer.rollback()
        update(name, retries=8)
        wait_for(lambda: told(name), seconds=AT_ONCE_SECONDS)
        assert told(name) == [("retried", 8)]

    def test_a_long_open_transaction_holds_up_nobody_else(self, patient: processes.Process) -> None:
        slow, quick = submit("slow", **ALL_EVENTS), submit("quick", **ALL_EVENTS)
        wait_for(asleep)
        with second_session() as writer, writer.cursor() as cursor:
            cursor.execute("UPDATE frameworks SET retries = 1 WHERE name = %s", [slow])
            for retries in range(1, 20):
                update(quick, retries=retries)
                wait_for(partial(retry_told, quick, retries), seconds=AT_ONCE_SECONDS)
            assert told(slow) == []
            writer.commit()
        wait_for(lambda: told(slow), seconds=AT_ONCE_SECONDS)


def summary(latencies: list[float]) -> str:
    ordered = sorted(latencies)
    return (
        f"{len(ordered)} changes told, p50 {ordered[len(ordered) // 2] * 1000:.0f} ms, "
        f"p99 {ordered[int(len(ordered) * 0.99)] * 1000:.0f} ms, longest {ordered[-1] * 1000:.0f} ms"
    )
