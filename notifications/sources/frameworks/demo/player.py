"""Lets a simulated cluster live: in real time at a rate, or a whole history at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from notifications.sources.frameworks.demo.lives import LONGEST_SECONDS
from notifications.sources.frameworks.demo.rows import RECONNECT_SECONDS, StoppedError
from notifications.sources.frameworks.demo.simulation import Simulation
from notifications.sources.frameworks.demo.table import create_table
from notifications.stopping import Stop

logger = logging.getLogger(__name__)


def play(
    connection: BaseDatabaseWrapper,
    *,
    seed: int | None,
    users: Sequence[str],
    jobs: int | None,
    rate: float,
    stop: Stop,
) -> int:
    """Submit `rate` jobs a minute, `jobs` of them or without end. Returns how many were submitted."""
    simulation = Simulation(connection, seed, users=users, stop=stop)
    _open(connection, simulation, stop)
    pause = timedelta(minutes=1 / rate)
    now = next_submission = datetime.now(UTC)
    while not stop.requested:
        more = jobs is None or simulation.submitted < jobs
        if more and next_submission <= now:
            simulation.submit_any(now)
            next_submission = max(next_submission + pause, now - timedelta(seconds=1))
        due = simulation.tick(now)
        more = jobs is None or simulation.submitted < jobs
        wake_at = min(([next_submission] if more else []) + ([due] if due else []), default=None)
        if wake_at is None:
            break
        stop.wait((wake_at - datetime.now(UTC)).total_seconds())
        now = datetime.now(UTC)
    return simulation.submitted


def play_at_once(
    connection: BaseDatabaseWrapper,
    *,
    seed: int | None,
    users: Sequence[str],
    jobs: int,
    rate: float,
    stop: Stop,
) -> int:
    """The same without waiting: a history that ends about now. Returns how many jobs were submitted."""
    simulation = Simulation(connection, seed, users=users, stop=stop)
    create_table(connection)
    pause = timedelta(minutes=1 / rate)
    now = datetime.now(UTC) - pause * jobs - timedelta(seconds=LONGEST_SECONDS)
    next_submission: datetime | None = now
    due: datetime | None = None
    while not stop.requested:
        if next_submission is not None and (due is None or next_submission <= due):
            simulation.submit_any(next_submission)
            next_submission = next_submission + pause if simulation.submitted < jobs else None
            due = simulation.tick(datetime.min.replace(tzinfo=UTC))
        elif due is not None:
            due = simulation.tick(due)
        else:
            break
    return simulation.submitted


def _open(connection: BaseDatabaseWrapper, simulation: Simulation, stop: Stop) -> None:
    """The table, and what an earlier run has left behind."""
    while True:
        try:
            create_table(connection)
            simulation.adopt(datetime.now(UTC))
            return
        except (OperationalError, InterfaceError) as error:
            logger.warning("database away, trying again error=%r", str(error).strip())
            connection.close()
            if stop.wait(RECONNECT_SECONDS):
                raise StoppedError from None
