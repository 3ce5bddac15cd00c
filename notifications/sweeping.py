"""Sends what is due every few seconds, whatever the broker does: its messages only make it faster."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError, close_old_connections

from notifications.delivery import sender

logger = logging.getLogger(__name__)

RUN_SECONDS = 30.0


def deliver() -> bool:
    """Send what is due, for a while; returns whether there may be more. Any number of these may run at once."""
    try:
        return sender.deliver_for(seconds=RUN_SECONDS)
    except (OperationalError, InterfaceError) as error:
        logger.warning("database away, the next sweep goes on error=%r", str(error).strip())
    except ProgrammingError as error:
        logger.error("no delivery table, run: notifcenter migrate error=%r", str(error).strip())
    return False


class Sweeper:
    """A thread of a worker. It ends when the worker stops sending (`sender.stopping`)."""

    def __init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the mail that it has in hand, which is bounded."""
        self._thread.join(settings.DELIVERY_LEASE_SECONDS)

    def _run(self) -> None:
        more = True
        while not sender.stopping.wait(0 if more else settings.SWEEP_SECONDS):
            try:
                more = deliver()
            except Exception:  # without its sweeps a worker would depend on its broker
                logger.exception("unexpected while sweeping")
                more = False
            close_old_connections()
