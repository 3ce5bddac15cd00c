"""Memory of poller, web process and worker while 100,000 changes are drained: it must not grow with the number."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from bench.database import Line, connect, execute, reset
from bench.latency import client_of, free_port, process

JOBS = 10_000
WAVES = 10
SETTLED_WAVES = 3
MAX_GROWTH_BYTES = 8 * 1024 * 1024
MAIL_EVERY_NTH_USER = 5
DEADLINE_SECONDS = 600


def run() -> Iterator[Line]:
    reset(JOBS, snapshot_bytes=320, state="RUNNING")
    execute("UPDATE auth_user SET email = '' WHERE id %% %s <> 0", [MAIL_EVERY_NTH_USER])
    port = free_port()
    daphne = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "notifcenter.asgi:application"]
    worker = [sys.executable, "-m", "celery", "-A", "notifcenter", "worker", "-B", "--loglevel", "ERROR"]
    with ExitStack() as stack:
        children = {
            "web": stack.enter_context(process(daphne, port)),
            "poller": stack.enter_context(process([sys.executable, "manage.py", "poll_frameworks"])),
            "worker": stack.enter_context(
                process(worker, stdout=subprocess.DEVNULL, EMAIL_URL="consolemail://")
            ),
        }
        client = stack.enter_context(client_of("user1", port))
        threading.Thread(target=_read, args=[client], daemon=True).start()
        samples: dict[str, list[int]] = {name: [] for name in children}
        for _ in range(WAVES):
            execute("UPDATE frameworks SET retries = retries + 1")
            _wait_until_drained()
            for name, child in children.items():
                samples[name].append(psutil.Process(child.pid).memory_info().rss)
    for name, sizes in samples.items():
        settled, last = sizes[SETTLED_WAVES - 1], sizes[-1]
        yield Line(
            f"memory of the {name} after {JOBS * WAVES:,} changes",
            f"{last / 2**20:.0f} MB",
            f"{settled / 2**20:.0f} MB at {JOBS * SETTLED_WAVES:,}",
            last / settled,
            f"+ ≤ {MAX_GROWTH_BYTES >> 20} MB",
            last - settled <= MAX_GROWTH_BYTES,
        )


def _wait_until_drained() -> None:
    connection = connect()
    connection.autocommit = True
    deadline = time.monotonic() + DEADLINE_SECONDS
    with connection.cursor() as cursor:
        left = True
        while left:
            if time.monotonic() > deadline:
                sys.exit("not drained in time")
            time.sleep(0.2)
            cursor.execute(
                "SELECT EXISTS (SELECT FROM notifications_capturedchange) OR EXISTS (SELECT FROM "
                "notifications_delivery WHERE state IN ('pending', 'leased', 'retry') AND due_at < now())"
            )
            left = cursor.fetchall()[0][0]
    connection.close()


def _read(client: ClientConnection) -> None:
    try:
        for _ in client:
            pass
    except ConnectionClosed:
        pass
