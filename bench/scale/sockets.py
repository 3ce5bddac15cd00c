"""10,000 open sockets on one web process: memory, a frame to each of 5,000 users, and all coming back at once.

The floor is a bare Channels consumer under Daphne (floor_channels.py), with the same clients in front of it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from bench.database import Line, connect, execute, quantile, reset
from bench.latency import free_port, listens
from bench.scale import share
from bench.scale.floor_channels import CHANNEL

SOCKETS = 10_000
TOLD = 5_000
TARGET_BYTES = 40 * 1024
TARGET_RATIO = 2.0
TARGET_BACK_SECONDS = 60.0
PROBE_PAUSE_SECONDS = 0.02
TARGET_PROBE_RATIO = 2.0

_USERS = """
INSERT INTO auth_user (username, password, email, first_name, last_name, is_active, is_staff, is_superuser, date_joined)
SELECT 'crowd' || n, '!', '', '', '', true, false, false, now() FROM generate_series(1, %s) n ON CONFLICT DO NOTHING
"""
_TELL = """
WITH told AS (INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time,
    job_name, virtual_cluster, details, occurred_at, in_inbox)
SELECT id, 'failed', 0, md5(%s || id), now(), 'resnet50-lr3', 'default',
    '{"exit_code": 1, "phrase": "ContainerFailed", "reason": "The container ended with exit code 1."}', now(), true
FROM auth_user WHERE username LIKE 'crowd%%' ORDER BY id LIMIT %s RETURNING 1)
SELECT pg_notify('notifcenter_live', '') FROM told LIMIT 1
"""
_PROBE = "SELECT count(*) FROM notifications_notification WHERE user_id = (SELECT min(id) FROM auth_user)"


@dataclass(slots=True)
class Figures:
    """Of one server: seconds, and bytes a socket."""

    accepted: float
    bytes_each: float
    told: float
    back: float = 0.0
    probe_before_ms: float = 0.0
    probe_ms: float = 0.0


def run() -> Iterator[Line]:
    reset(1)
    sockets, told = share(SOCKETS), share(TOLD)
    execute(_USERS, [sockets])
    with tempfile.TemporaryDirectory() as folder:
        cookies = Path(folder) / "cookies"
        cookies.write_text("\n".join(_cookies()))
        floor = _measure("bench.scale.floor_channels:application", cookies, sockets, told, ours=False)
        ours = _measure("notifcenter.asgi:application", cookies, sockets, told, ours=True)
    beyond = ours.bytes_each - floor.bytes_each
    yield Line(
        f"{sockets:,} sockets: memory of each",
        f"{ours.bytes_each / 1024:.0f} KB",
        f"{floor.bytes_each / 1024:.0f} KB",
        None,
        f"+ ≤ {TARGET_BYTES >> 10} KB",
        beyond <= TARGET_BYTES,
    )
    yield Line("… accepted, 200 at a time", f"{ours.accepted:.1f} s", f"{floor.accepted:.1f} s")
    ratio = ours.told / floor.told
    yield Line(
        f"… commit → the last of {told:,} frames to as many users",
        f"{ours.told:.2f} s",
        f"{floor.told:.2f} s",
        ratio,
        f"≤ {TARGET_RATIO:.0f} ×",
        ratio <= TARGET_RATIO,
    )
    yield Line(
        "… all back after a kill and a restart",
        f"{ours.back:.1f} s",
        "",
        None,
        f"≤ {TARGET_BACK_SECONDS:.0f} s",
        ours.back <= TARGET_BACK_SECONDS,
    )
    yield Line(
        "… a query of others meanwhile, p99",
        f"{ours.probe_ms:.2f} ms",
        f"{ours.probe_before_ms:.2f} ms before",
        ours.probe_ms / ours.probe_before_ms,
        f"≤ {TARGET_PROBE_RATIO:.0f} ×",
        ours.probe_ms <= TARGET_PROBE_RATIO * ours.probe_before_ms,
    )


def _measure(application: str, cookies: Path, sockets: int, told: int, *, ours: bool) -> Figures:
    port = free_port()
    with ExitStack() as stack:
        server = stack.enter_context(_daphne(application, port))
        crowd = stack.enter_context(_crowd(port, cookies))
        before, started = psutil.Process(server.pid).memory_info().rss, time.monotonic()
        accepted = _ask(crowd, "open") - started
        each = (psutil.Process(server.pid).memory_info().rss - before) / sockets
        took = []
        for number in range(1, 4):
            started = time.monotonic()
            if ours:
                execute(_TELL, [str(number), told])
                started = time.monotonic()
            else:
                execute(f"NOTIFY {CHANNEL}, '{told}'")
            took.append(_ask(crowd, f"frames {number * told}") - started)
        figures = Figures(accepted, each, sorted(took)[1])
        if ours:
            with _probe() as quiet:
                time.sleep(2)
            figures.probe_before_ms = quantile(quiet, 0.99)
            server.send_signal(signal.SIGKILL)
            server.wait()
            with _probe() as busy:
                stack.enter_context(_daphne(application, port))
                started = time.monotonic()
                figures.back = _ask(crowd, "open") - started
            figures.probe_ms = quantile(busy, 0.99)
        return figures


def _cookies() -> list[str]:
    """A Cookie header for each user of the crowd, with a session made for it."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session
    from django.utils import timezone
    from django.utils.crypto import get_random_string

    store, expires = SessionStore(), timezone.now() + timedelta(days=1)
    sessions = [
        Session(
            session_key=get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789"),
            session_data=store.encode(
                {
                    "_auth_user_id": str(user.pk),
                    "_auth_user_backend": settings.AUTHENTICATION_BACKENDS[-1],
                    "_auth_user_hash": user.get_session_auth_hash(),
                }
            ),
            expire_date=expires,
        )
        for user in User.objects.filter(username__startswith="crowd")
    ]
    Session.objects.bulk_create(sessions, batch_size=1000)
    return [f"{settings.SESSION_COOKIE_NAME}={session.session_key}" for session in sessions]


@contextmanager
def _daphne(application: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), application]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        while child.poll() is None and not listens(port):
            time.sleep(0.05)
        yield child
    finally:
        child.kill()
        child.wait()


@contextmanager
def _crowd(port: int, cookies: Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.scale.crowd", str(port), str(cookies)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def _ask(crowd: subprocess.Popen[str], command: str) -> float:
    """The monotonic time at which it was fulfilled."""
    assert crowd.stdin
    assert crowd.stdout
    crowd.stdin.write(f"{command}\n")
    crowd.stdin.flush()
    return float(crowd.stdout.readline())


@contextmanager
def _probe() -> Iterator[list[float]]:
    """Milliseconds of a small query that somebody else asks again and again."""
    stop, took = threading.Event(), list[float]()
    session = connect()
    session.autocommit = True

    def ask() -> None:
        with session.cursor() as cursor:
            while not stop.wait(PROBE_PAUSE_SECONDS):
                started = time.perf_counter()
                cursor.execute(_PROBE)
                took.append((time.perf_counter() - started) * 1000)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()
        session.close()
