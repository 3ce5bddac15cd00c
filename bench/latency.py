"""From the commit of a status change to the frame at a websocket client, one user, idle system.

The floor has the same two hops in bare psycopg2 and `websockets`: NOTIFY → one INSERT, COMMIT with NOTIFY → one
SELECT → send. Both are up all the time, and take turns.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from psycopg2 import extensions
from websockets.sync.client import ClientConnection, connect

from bench.database import Line, execute, median, quantile, reset
from bench.database import connect as database

ROUNDS = 300
WARM_UP = 20
TARGETS = ((0.5, "p50", 3.0), (0.99, "p99", 5.0))
USER = "user1"

FLOOR_TABLES = """
CREATE TABLE IF NOT EXISTS floor_job (id int PRIMARY KEY, state text);
CREATE TABLE IF NOT EXISTS floor_note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job int, state text);
INSERT INTO floor_job SELECT n, 'WAITING' FROM generate_series(1, 1000) n ON CONFLICT DO NOTHING;
"""


def run() -> Iterator[Line]:
    count = ROUNDS + WARM_UP
    reset(count)
    execute(FLOOR_TABLES)
    ours: list[float] = []
    floor: list[float] = []
    with ExitStack() as stack:
        bell = stack.enter_context(_product())
        bare = stack.enter_context(_floor())
        writer = database()
        writer.autocommit = True
        _wait_for_listeners(writer)
        jobs = _jobs(writer)
        pause = random.Random(1)
        for number in range(count):
            for measure in pause.sample([0, 1], 2):
                time.sleep(pause.uniform(0.02, 0.05))  # idle: every process is asleep again
                if measure:
                    sql = "UPDATE frameworks SET state = 'RUNNING' WHERE name = %s"
                    ours.append(_one(writer, sql, jobs[number], bell, _is_notification))
                else:
                    sql = "UPDATE floor_job SET state = 'RUNNING' WHERE id = %s; NOTIFY floor_change"
                    floor.append(_one(writer, sql, number + 1, bare, lambda frame: True))
        writer.close()
    ours, floor = ours[WARM_UP:], floor[WARM_UP:]
    for share, name, target in TARGETS:
        mine, bare_ms = quantile(ours, share), quantile(floor, share)
        ratio = mine / bare_ms
        yield Line(
            f"commit → frame at the client, idle, {name}",
            f"{mine:.2f} ms",
            f"{bare_ms:.2f} ms",
            ratio,
            f"≤ {target:.0f} ×",
            ratio <= target,
        )
    yield Line("… median", f"{median(ours):.2f} ms", f"{median(floor):.2f} ms")


def _one(
    writer: extensions.connection,
    sql: str,
    key: Any,
    client: ClientConnection,
    wanted: Callable[[dict[str, Any]], bool],
) -> float:
    """Milliseconds from the return of the commit's statement being sent to the frame."""
    with writer.cursor() as cursor:
        start = time.perf_counter()
        cursor.execute(sql, [key])
        while not wanted(json.loads(client.recv(timeout=10))):
            pass
        return (time.perf_counter() - start) * 1000


def _wait_for_listeners(writer: extensions.connection) -> None:
    """Until both processes of the floor have said LISTEN, and our poller is at work."""
    with writer.cursor() as cursor:
        ready = False
        while not ready:
            time.sleep(0.05)
            cursor.execute(
                "SELECT (SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN floor%') = 2 "
                "AND EXISTS (SELECT FROM notifications_pollerstate WHERE heartbeat_at > now() - interval '5 s')"
            )
            ready = cursor.fetchall()[0][0]


def _is_notification(frame: dict[str, Any]) -> bool:
    return bool(frame["type"] == "notification")


def _jobs(writer: extensions.connection) -> list[str]:
    """Jobs of the one user who listens."""
    with writer.cursor() as cursor:
        cursor.execute('UPDATE frameworks SET "userName" = %s RETURNING name', [USER])
        return [name for (name,) in cursor.fetchall()]


@contextmanager
def _product() -> Iterator[ClientConnection]:
    """Poller and web process as a user would start them, and one signed-in client."""
    port = free_port()
    arguments = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "notifcenter.asgi:application"]
    with (
        process(arguments, port),
        process([sys.executable, "manage.py", "poll_frameworks"]),
        client_of(USER, port) as client,
    ):
        client.recv(timeout=10)
        yield client


def client_of(username: str, port: int) -> ClientConnection:
    """A websocket with the session of this user."""
    from django.contrib.auth.models import User
    from django.test import Client

    browser = Client()
    browser.force_login(User.objects.get(username=username))
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    address = f"ws://127.0.0.1:{port}/ws/notifications/"
    return connect(address, additional_headers={"Cookie": cookie}, max_queue=None)


@contextmanager
def _floor() -> Iterator[ClientConnection]:
    port = free_port()
    with (
        process([sys.executable, "-m", "bench.floor_push", str(port)], port),
        process([sys.executable, "-m", "bench.floor_poller"]),
        connect(f"ws://127.0.0.1:{port}/") as client,
    ):
        yield client


@contextmanager
def process(
    arguments: list[str], port: int | None = None, stdout: int | None = None, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A child until the end of the block; with `port`, one that listens there."""
    env = {**os.environ, **environment}
    child = subprocess.Popen(arguments, stdout=stdout, stderr=subprocess.DEVNULL, env=env)
    try:
        while port and child.poll() is None and not listens(port):
            time.sleep(0.05)
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
