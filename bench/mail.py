"""Mails per second of one worker, against smtplib over one connection that sends the very same mails, ready made.

Ours is a worker process as a site runs it. It reads each mail's rows, asks whether it is still wanted, renders it in
text and HTML, sends it and commits that it was sent; its threads share one interpreter. The floor does none of that: it
has the mails as `EmailMessage`s and calls `send_message` for each. A second floor does not even turn a message into
bytes. All of them talk to the same sink in a process of its own.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

import psutil

from bench.database import Line, execute, median, reset
from bench.latency import free_port, process

MAILS = 1_000
WARM_UP = 200
ROUNDS = 3
TARGET = 0.6
DEADLINE_SECONDS = 120
ADDRESS = "smtp://127.0.0.1:{}"

Rate = tuple[float, float]
"""Mails per second, and CPU milliseconds a mail."""


def run() -> Iterator[Line]:
    reset(20)
    _store(MAILS * ROUNDS + WARM_UP)
    port = free_port()
    with ExitStack() as stack:
        stack.enter_context(process([sys.executable, "-m", "bench.smtp_sink", str(port)], port))
        worker = [sys.executable, "-m", "celery", "-A", "notifcenter", "worker", "--loglevel", "ERROR"]
        child = stack.enter_context(
            process(worker, stdout=subprocess.DEVNULL, EMAIL_URL=ADDRESS.format(port))
        )
        usage = psutil.Process(child.pid)
        _send(WARM_UP, usage)
        mails = _mails()
        ours: list[Rate] = []
        floors: dict[str, list[Rate]] = {"messages": [], "bytes": []}
        for _ in range(ROUNDS):
            for what, rates in floors.items():
                rates.append(_floor(port, mails, what))
            ours.append(_send(MAILS, usage))
    size = sum(len(mail) for _, mail in mails) / MAILS / 1000
    mine, bare, ready = (median(rate for rate, _ in rates) for rates in (ours, *floors.values()))
    yield Line(
        f"mails of one worker, {size:.0f} kB each, against send_message",
        f"{mine:,.0f}/s",
        f"{bare:,.0f}/s",
        mine / bare,
        f"≥ {TARGET} ×",
        mine / bare >= TARGET,
    )
    yield Line("… against sendmail of ready bytes", f"{mine:,.0f}/s", f"{ready:,.0f}/s", mine / ready)
    mine, bare = (median(cpu for _, cpu in rates) for rates in (ours, floors["messages"]))
    yield Line("… CPU a mail, against send_message", f"{mine:.2f} ms", f"{bare:.2f} ms", mine / bare)


def _store(count: int) -> None:
    """Notifications of all kinds, of users who get a mail for each; due in the far future."""
    from django.contrib.auth.models import User

    from notifications.delivery.samples import DETAILS
    from notifications.models import Delivery, Notification

    users = list(User.objects.exclude(email="").order_by("id"))
    later, now = datetime(2100, 1, 1, tzinfo=UTC), datetime.now(UTC)
    kinds = islice(cycle(DETAILS.items()), count)
    notifications = Notification.objects.bulk_create(
        Notification(
            user=users[number % len(users)],
            event=event,
            framework_name=f"framework-{number}",
            submission_time=now - timedelta(hours=1),
            job_name=f"resnet50-lr{number}",
            virtual_cluster="default",
            details=details,
            occurred_at=now,
        )
        for number, (event, details) in enumerate(kinds)
    )
    Delivery.objects.bulk_create(
        Delivery(notification=one, channel="email", due_at=later, planned_at=later) for one in notifications
    )
    execute("VACUUM ANALYZE")


def _send(count: int, worker: psutil.Process) -> Rate:
    from notifications.hints import Hinter
    from notifications.models import Delivery, DeliveryState

    waiting = Delivery.objects.filter(state=DeliveryState.PENDING).order_by("id")
    ids = list(waiting.values_list("id", flat=True)[:count])
    chosen = Delivery.objects.filter(id__in=ids)
    before = sum(worker.cpu_times()[:2])
    chosen.update(due_at=datetime.now(UTC), planned_at=datetime.now(UTC))
    hinter, deadline = Hinter(), time.monotonic() + DEADLINE_SECONDS
    while chosen.exclude(state=DeliveryState.SENT).exists():
        hinter.hint()  # as the poller does with every batch
        if time.monotonic() > deadline:
            sys.exit("the mails were not sent in time")
        time.sleep(0.1)
    hinter.stop()
    cpu = sum(worker.cpu_times()[:2]) - before
    times = sorted(at for at in chosen.values_list("sent_at", flat=True) if at)
    return (count - 1) / (times[-1] - times[0]).total_seconds(), cpu / count * 1000


def _mails() -> list[tuple[str, bytes]]:
    """Recipients and mails of the next to be sent."""
    from notifications.delivery import wire
    from notifications.delivery.mail import compose
    from notifications.models import Delivery, DeliveryState

    rows = Delivery.objects.filter(state=DeliveryState.PENDING).select_related(
        "notification__user__preference"
    )
    mails = [compose(row) for row in rows.order_by("id")[:MAILS]]
    return [(mail.to[0], wire.as_bytes(mail)) for mail in mails]


def _floor(port: int, mails: list[tuple[str, bytes]], what: str) -> Rate:
    arguments = [sys.executable, "-m", "bench.floor_mail", str(port), what]
    answer = subprocess.run(arguments, input=pickle.dumps(mails), capture_output=True, check=True)
    rate, cpu = map(float, answer.stdout.split())
    return rate, cpu
