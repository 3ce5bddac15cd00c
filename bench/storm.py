"""500 jobs of one user fail within ten seconds: how many mails that makes, with the site's own window of a minute.

Poller and worker are those of a site, and the clock is the real one, so it takes a good minute.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

from bench.database import Line, connect, execute, reset
from bench.latency import free_port, process

FAILURES = 500
SECONDS = 10.0
MOST_MAILS = 3
DEADLINE_SECONDS = 180
USER = "user1"


def run() -> Iterator[Line]:
    from notifications.models import Delivery, DeliveryState

    reset(FAILURES, snapshot_bytes=320, state="RUNNING")
    execute('UPDATE frameworks SET "userName" = %s', [USER])
    execute("TRUNCATE notifications_mailwindow")
    port = free_port()
    worker = [sys.executable, "-m", "celery", "-A", "notifcenter", "worker", "--loglevel", "ERROR"]
    with ExitStack() as stack:
        stack.enter_context(process([sys.executable, "-m", "bench.smtp_sink", str(port)], port))
        stack.enter_context(process([sys.executable, "manage.py", "poll_frameworks"]))
        stack.enter_context(process(worker, stdout=subprocess.DEVNULL, EMAIL_URL=f"smtp://127.0.0.1:{port}"))
        took = _fail()
        sent, deadline = (
            Delivery.objects.filter(state=DeliveryState.SENT),
            time.monotonic() + DEADLINE_SECONDS,
        )
        while sent.count() < FAILURES:
            if time.monotonic() > deadline:
                sys.exit("the mails were not sent in time")
            time.sleep(0.2)
    mails = sent.filter(bundle=None).count()
    yield Line(
        f"mails about {FAILURES} failures of one user in {took:.1f} s",
        f"{mails}",
        f"{FAILURES}",
        mails / FAILURES,
        f"≤ {MOST_MAILS}",
        mails <= MOST_MAILS,
    )


def _fail() -> float:
    """Seconds that it took."""
    writer = connect()
    writer.autocommit = True
    start = time.monotonic()
    with writer.cursor() as cursor:
        cursor.execute("SELECT name FROM frameworks ORDER BY name")
        for number, (name,) in enumerate(cursor.fetchall(), 1):
            cursor.execute("UPDATE frameworks SET state = 'FAILED' WHERE name = %s", [name])
            time.sleep(max(0.0, start + SECONDS * number / FAILURES - time.monotonic()))
    writer.close()
    return time.monotonic() - start
