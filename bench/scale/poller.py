"""A thousand changes a second among 10 million jobs: does one poller keep up, and how long does a change take?"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial

import psutil
from psycopg2 import extensions
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from bench.database import SNAPSHOT_BYTES, Line, add_jobs, clear, connect, execute, quantile, reset
from bench.latency import client_of, free_port, process
from bench.scale import kept, share

FRAMEWORKS = 10_000_000
CHUNK = 1_000_000
RATE = 1000
SECONDS = 30
CHANGES = RATE * SECONDS
BURST_SECONDS = 0.02
WRITERS = 4
WATCHERS = ("user1", "user2")
"""Each with a websocket to a web process of its own."""

TARGET_SECONDS = 0.25

# Finished long ago, and without a snapshot: what counts is how many there are.
_FILL = """
INSERT INTO frameworks (name, "jobName", "userName", "virtualCluster", "totalGpuNumber", state, retries,
    "submissionTime", "completionTime", "updatedAt")
SELECT md5('old' || n), 'user' || n %% 20 || '~old-' || n, 'user' || n %% 20, 'default', 1, 'SUCCEEDED', 0,
    at, at, at
FROM generate_series(%s, %s) n CROSS JOIN LATERAL (SELECT now() - interval '1 year' - n * interval '1 s' AS at) t
"""
_CHANGE = """
UPDATE frameworks SET state = 'RUNNING', "subState" = 'AttemptRunning', "launchTime" = now(), "updatedAt" = now()
WHERE name = %s
"""


def run() -> Iterator[Line]:
    rows = share(FRAMEWORKS)
    make()
    arrived: dict[str, float] = {}
    with ExitStack() as stack:
        poller = stack.enter_context(process([sys.executable, "manage.py", "poll_frameworks"]))
        webs = [stack.enter_context(_web_with(username, arrived)) for username in WATCHERS]
        writer = connect()
        writer.autocommit = True
        parts = [psutil.Process(pid) for pid in (poller.pid, _leader(writer), *(web.pid for web in webs))]
        before = [_seconds(part) for part in parts]
        written = _write()
        lasted = max(written.values()) - min(written.values())
        left = _waiting(writer)
        after = [_seconds(part) for part in parts]
        watched = _watched(writer, list(written))
        deadline = time.monotonic() + 30
        while len(arrived) < len(watched) and time.monotonic() < deadline:
            time.sleep(0.05)
        writer.close()
    rate = len(written) / lasted
    took = [arrived[name] - written[name] for name in watched if name in arrived]
    yield Line(
        f"{rate:,.0f} changes/s of {rows:,} jobs: commit → frame, p99",
        f"{quantile(took, 0.99) * 1000:.0f} ms",
        f"p50 {quantile(took, 0.5) * 1000:.0f} ms",
        None,
        f"≤ {TARGET_SECONDS * 1000:.0f} ms",
        quantile(took, 0.99) <= TARGET_SECONDS and len(took) == len(watched),
    )
    names = ("poller", "its database session", "one web process of two", "the other")
    for name, spent in zip(names, (b - a for a, b in zip(before, after, strict=True)), strict=True):
        of_core = spent / lasted
        each = f"{rate / of_core:,.0f}/s a core" if of_core else ""
        yield Line(f"… {name}, of one core", f"{of_core:.0%}", each, None, "≤ 100 %", of_core <= 1)
    yield Line("… changes left at the end", f"{left}", "", None, f"≤ {RATE // 2}", left <= RATE // 2)


def make() -> None:
    _switch(share(FRAMEWORKS))
    if not _is_fresh():
        _renew()


def _switch(rows: int) -> None:
    kept.switch(f"frameworks_{rows}", _FILL, partial(_fill, rows))


def _fill(rows: int) -> None:
    reset(0)
    connection = connect()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off; ALTER TABLE frameworks DISABLE TRIGGER USER")
        for start in range(0, rows, CHUNK):
            cursor.execute(_FILL, [start + 1, min(rows, start + CHUNK)])
        cursor.execute("ALTER TABLE frameworks ENABLE TRIGGER USER")
    connection.close()


def _is_fresh() -> bool:
    with closing(connect()) as session, session.cursor() as cursor:
        cursor.execute(
            "SELECT FROM frameworks WHERE name = md5('1') AND state = 'WAITING' "
            "AND NOT EXISTS (SELECT FROM notifications_notification)"
        )
        return bool(cursor.fetchall())


def _renew() -> None:
    """CHANGES jobs that wait, and nothing told yet."""
    clear()
    execute(
        "DELETE FROM frameworks WHERE name IN (SELECT md5(n::text) FROM generate_series(1, %s) n)", [CHANGES]
    )
    add_jobs(CHANGES, snapshot_bytes=SNAPSHOT_BYTES, state="WAITING", asking=True, sweeps=False)


@contextmanager
def _web_with(username: str, arrived: dict[str, float]) -> Iterator[subprocess.Popen[bytes]]:
    """A web process, and a client of it that notes when each job's frame arrives."""
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "notifcenter.asgi:application"]
    with process(command, port) as web, client_of(username, port) as client:
        threading.Thread(target=_listen, args=[client, arrived], daemon=True).start()
        yield web


def _leader(session: extensions.connection) -> int:
    """The process of the poller's database session, once it is at work."""
    with session.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT l.pid FROM pg_locks l, notifications_pollerstate p WHERE l.locktype = 'advisory' "
                "AND l.objid = 2 AND l.granted AND p.heartbeat_at > now() - interval '5 s'"
            )
            if found := cursor.fetchall():
                return int(found[0][0])
            time.sleep(0.1)


def _write() -> dict[str, float]:
    """By framework, when its change had been committed; several sessions, as a cluster's writer has them."""
    with closing(connect()) as session, session.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM frameworks WHERE state = 'WAITING' ORDER BY name LIMIT %s", [CHANGES]
        )
        names = [name for (name,) in cursor.fetchall()]
    written: dict[str, float] = {}
    begun = time.monotonic()
    writers = [
        threading.Thread(target=_write_some, args=[names[number::WRITERS], begun, written])
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return written


def _write_some(names: list[str], begun: float, written: dict[str, float]) -> None:
    each = int(RATE * BURST_SECONDS) // WRITERS
    with closing(connect()) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            for number, start in enumerate(range(0, len(names), each)):
                time.sleep(max(0.0, begun + number * BURST_SECONDS - time.monotonic()))
                for name in names[start : start + each]:
                    cursor.execute(_CHANGE, [name])
                    written[name] = time.monotonic()


def _watched(session: extensions.connection, names: list[str]) -> list[str]:
    with session.cursor() as cursor:
        cursor.execute(
            'SELECT name FROM frameworks WHERE name = ANY(%s) AND "userName" = ANY(%s)',
            [names, list(WATCHERS)],
        )
        return [name for (name,) in cursor.fetchall()]


def _waiting(session: extensions.connection) -> int:
    with session.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM notifications_capturedchange")
        return int(cursor.fetchall()[0][0])


def _listen(client: ClientConnection, arrived: dict[str, float]) -> None:
    try:
        for text in client:
            frame = json.loads(text)
            if frame["type"] == "notification":
                arrived[frame["notification"]["job"]["framework"]] = time.monotonic()
    except ConnectionClosed:
        pass


def _seconds(part: psutil.Process) -> float:
    times = part.cpu_times()
    return float(times.user + times.system)
