"""The poller, in this process until nothing is due, and as a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notifications.poller import Poller
from notifications.sources.frameworks import names
from notifications.sources.frameworks.source import FrameworkSource
from tests import processes
from tests.cluster import framework_name, submit, update
from tests.database import sql

AT_ONCE_SECONDS = 2.0
LAUNCHER = """
import sys, time, django
django.setup()
from django.core.management import execute_from_command_line
from notifications import poller
poller.UPKEEP_SECONDS = float(sys.argv[1])
try_lock = poller.Poller._try_lock
def try_lock_slowly(self, key):
    time.sleep(float(sys.argv[2]))
    return try_lock(self, key)
poller.Poller._try_lock = try_lock_slowly
execute_from_command_line(["manage.py", "poll_frameworks", "--interval", sys.argv[1]])
"""


def drain() -> None:
    poller = Poller()
    while poller.run_once():
        pass


def end_jobs(*jobs: str, state: str = "FAILED") -> None:
    """The jobs of alice end so, and the poller takes it."""
    for job in jobs:
        submit(job, "alice", notificationAtFailed=True, notificationAtSucceeded=True)
        update(framework_name(job, "alice"), state=state)
    drain()


def look_after() -> None:
    """What the poller does every few seconds."""
    source = FrameworkSource()
    source.put_back()
    source.look_after()


def start_poller() -> None:
    """What a poller does before its first batch, then all that is due."""
    FrameworkSource().reconcile()
    look_after()
    drain()


@contextmanager
def poller_with(
    folder: Path, *, upkeep_seconds: float, falls_asleep_in_seconds: float = 0
) -> Iterator[processes.Process]:
    """One that does its small duties at this interval. With a long one, only a NOTIFY can wake it.

    One that falls asleep slowly leaves writers time to come in between its last look and its sleep.
    """
    arguments = [sys.executable, "-c", LAUNCHER, str(upkeep_seconds), str(falls_asleep_in_seconds)]
    env = processes.environment(DJANGO_SETTINGS_MODULE="notifcenter.settings")
    with processes.running(arguments, folder / "poller.log", env) as process:
        process.wait_for_log("polling")
        yield process


def held(lock: int) -> int:
    """The backend that holds this lock, or 0."""
    rows = sql(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted "
        "AND mode = 'ExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        names.LOCK_SPACE,
        lock,
    )  # fmt: skip
    return int(rows[0][0]) if rows else 0


def asleep() -> bool:
    return held(names.SLEEP_LOCK) != 0
