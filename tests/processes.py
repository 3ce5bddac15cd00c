"""Real processes of the product on the test database, and waiting for a condition with a deadline."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
DEADLINE_SECONDS = 60.0
"""Far more than anything takes: other tests, and the browser, share the machine."""
STOP_SECONDS = 30
PORTS = range(20_000, 32_000)

T = TypeVar("T")


def wait_for(condition: Callable[[], T], *, seconds: float = DEADLINE_SECONDS, what: str = "") -> T:
    """The first truthy answer of `condition`; fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s in vain: {what or condition}")
        time.sleep(0.02)
    return answer


def database_url(name: str | None = None, login: tuple[str, str] | None = None) -> str:
    """The address of the test database (or of `name`) for another process, as another role if need be."""
    params = connection.get_connection_params()
    host, port = str(params.get("host") or ""), params.get("port") or 5432
    name_and_password = login or (params.get("user") or "postgres", str(params.get("password") or ""))
    user, password = (quote(part, safe="") for part in name_and_password)
    place = quote(host, safe="") if host.startswith("/") else host
    return f"postgresql://{user}:{password}@{place}:{port}/{name or params['dbname']}"


def environment(**more: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "NOTIFCENTER_DATA_DIR": str(settings.DATA_DIR),
        "EMAIL_URL": os.environ.get("EMAIL_URL", ""),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def free_port() -> int:
    """One that no outgoing connection is given (Linux: 32768 and above) before whoever asked listens on it."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no port of {PORTS} is free")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A child with its output in a file; `log` is what it has printed so far."""

    def __init__(self, arguments: list[str], log: Path, env: Mapping[str, str], cwd: Path = ROOT) -> None:
        self._log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                arguments,
                cwd=cwd,
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for_log(self, text: str) -> None:
        def seen() -> bool:
            if self.popen.poll() is not None and text not in self.log:
                pytest.fail(f"the process ended with {self.popen.returncode}: {self.log[-2000:]}")
            return text in self.log

        wait_for(seen, what=f"{text!r} in the log")

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; returns its exit code. Kills it when it does not."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
            try:
                self.popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.popen.returncode


@contextmanager
def running(
    arguments: list[str], log: Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> Iterator[Process]:
    process = Process(arguments, log, env or environment(), cwd)
    try:
        yield process
    finally:
        process.stop()


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


@contextmanager
def poller(folder: Path, *arguments: str, ready: str = "polling", **env: str) -> Iterator[Process]:
    """`poll_frameworks`, at work (or with `ready`, whatever line it is to reach)."""
    log = folder / f"poller-{free_port()}.log"
    with running(manage("poll_frameworks", *arguments), log, environment(**env)) as process:
        process.wait_for_log(ready)
        yield process


@contextmanager
def daphne(folder: Path, port: int = 0, **env: str) -> Iterator[tuple[str, Process]]:
    """A web process; yields its address and itself."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = [
        sys.executable,
        "-m",
        "daphne",
        "-b",
        "127.0.0.1",
        "-p",
        str(port),
        "notifcenter.asgi:application",
    ]
    log = folder / f"daphne-{port}.log"
    with running(arguments, log, environment(**{"BASE_URL": url, **env})) as process:
        wait_for(lambda: process.popen.poll() is not None or answers(port), what="daphne listens")
        if process.popen.poll() is not None:
            pytest.fail(f"daphne ended: {process.log[-2000:]}")
        yield url, process


@contextmanager
def worker(folder: Path, **env: str) -> Iterator[Process]:
    """A Celery worker, ready for tasks."""
    arguments = [sys.executable, "-m", "celery", "-A", "notifcenter", "worker", "--loglevel", "INFO"]
    with running(arguments, folder / f"worker-{free_port()}.log", environment(**env)) as process:
        process.wait_for_log("ready.")
        yield process
