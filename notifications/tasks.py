"""What Celery runs. A message says no more than that there may be work; the tables say what."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_shutdown, worker_shutting_down

from notifications import retention, sweeping
from notifications.delivery import sender

PRUNE_RUN_SECONDS = 60.0
"""For so long at a time; beat comes back to what is left."""

_sweepers: list[sweeping.Sweeper] = []


@shared_task
def deliver_due() -> None:
    sweeping.deliver()


@shared_task
def prune() -> None:
    retention.prune_by_setting(wait=sender.stopping.wait, seconds=PRUNE_RUN_SECONDS)


@worker_init.connect
def start_sweeping(**_: Any) -> None:
    """Before the broker is asked for anything: it may be away."""
    _sweepers.append(sweeping.Sweeper())


@worker_shutting_down.connect
def stop_sending(**_: Any) -> None:
    sender.stopping.set()


@worker_shutdown.connect
def wait_for_sweepers(**_: Any) -> None:
    for sweeper in _sweepers:
        sweeper.join()
