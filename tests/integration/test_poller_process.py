"""The poller as the process that it is: signals, a second one, lost connections."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from notifications.models import CapturedChange, PollerState
from notifications.sources.frameworks import names
from tests.cluster import submit, told, update
from tests.database import second_session, sql
from tests.pollers import AT_ONCE_SECONDS, asleep, held
from tests.processes import poller, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_a_long_sleep_at_once(self, tmp_path: Path, number: int) -> None:
        with poller(tmp_path, "--interval", "60") as process:
            wait_for(asleep)
            started = time.monotonic()
            assert process.stop(number) == 0
            assert time.monotonic() - started < AT_ONCE_SECONDS
            assert "Traceback" not in process.log

    def test_a_standby_stops_too(self, tmp_path: Path) -> None:
        with poller(tmp_path), poller(tmp_path, ready="standing by") as second:
            assert second.stop() == 0

    def test_the_batch_at_work_is_finished(self, tmp_path: Path) -> None:
        with poller(tmp_path) as process, second_session() as other, other.cursor() as cursor:
            cursor.execute("LOCK TABLE notifications_notification IN SHARE MODE")
            name = submit()
            update(name, state="FAILED")
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'notifications_notification'::regclass"
            wait_for(lambda: sql(waiting), what="the poller is in the middle of a batch")
            process.popen.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                process.popen.wait(0.3)
            other.commit()
            assert process.popen.wait(AT_ONCE_SECONDS * 2) == 0
        assert told(name) == [("failed", 0)]
        assert not CapturedChange.objects.exists()


class TestSeveral:
    def test_the_second_takes_over_from_a_killed_one_and_nothing_is_told_twice(
        self, tmp_path: Path, ledger: Callable[[str], None]
    ) -> None:
        with poller(tmp_path) as first, poller(tmp_path, ready="standing by") as second:
            update(submit("before"), state="FAILED")
            wait_for(lambda: len(told()) == 1)
            update(submit("at the same time"), state="FAILED")
            first.kill()
            started = time.monotonic()
            name = submit("after")
            update(name, state="FAILED")
            wait_for(lambda: told(name))
            ledger(f"a poller killed: told by the next one after {time.monotonic() - started:.1f} s")
            assert "polling" in second.log
        assert told() == [("failed", 0)] * 3

    def test_only_one_works_at_a_time(self, tmp_path: Path) -> None:
        with poller(tmp_path), poller(tmp_path, ready="standing by") as second:
            for number in range(50):
                update(submit(f"job-{number}"), state="FAILED")
            wait_for(lambda: len(told()) == 50)
            assert "polling" not in second.log

    def test_a_standby_says_so_once(self, tmp_path: Path) -> None:
        with poller(tmp_path), poller(tmp_path, ready="standing by") as second:
            looks: set[Any] = set()

            def looked_again() -> bool:
                looks.update(sql(
                    "SELECT query_start FROM pg_stat_activity WHERE query LIKE 'SELECT pg_try_advisory_lock%' "
                    "AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_stat_activity.pid AND l.granted "
                    "AND l.locktype = 'advisory')"
                ))  # fmt: skip
                return len(looks) >= 3

            wait_for(looked_again)
            assert second.log.count("standing by") == 1


class TestLostConnections:
    def test_a_terminated_session_is_replaced(self, tmp_path: Path) -> None:
        with poller(tmp_path, "--interval", "0.2") as process:
            for round_ in range(3):
                name = submit(f"job-{round_}")
                leader = wait_for(lambda: held(names.LEADER_LOCK))
                sql("SELECT pg_terminate_backend(%s)", leader)
                update(name, state="FAILED")
                wait_for(partial(told, name))
            assert process.popen.poll() is None
            assert "Traceback" not in process.log
        assert told() == [("failed", 0)] * 3

    def test_a_terminated_listener_is_replaced(self, tmp_path: Path) -> None:
        with poller(tmp_path, "--interval", "60") as process:
            wait_for(asleep)
            leader = held(names.LEADER_LOCK)
            sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type = 'client backend' AND pid NOT IN (pg_backend_pid(), %s)", leader,
            )  # fmt: skip
            process.wait_for_log("database unreachable")
            wait_for(lambda: held(names.LEADER_LOCK) not in (0, leader) and asleep())
            name = submit()
            update(name, state="FAILED")
            wait_for(lambda: told(name), seconds=AT_ONCE_SECONDS)


def test_the_sign_of_life_is_given_also_with_a_long_interval(tmp_path: Path) -> None:
    with poller(tmp_path, "--interval", "60"):
        first = wait_for(lambda: PollerState.objects.values_list("heartbeat_at", flat=True).first())
        wait_for(lambda: PollerState.objects.get().heartbeat_at != first, seconds=15)
