"""Tell the workers that deliveries are due, without ever making the caller wait."""

from __future__ import annotations

import logging
import threading

from notifications.tasks import deliver_due

logger = logging.getLogger(__name__)

HINTS_PER_SECOND = 5
EXPIRES_SECONDS = 10
"""A hint that nobody has taken by then is of no use: the sweep has come by."""

STOP_SECONDS = 2.0


class Hinter:
    """Publishes on a thread of its own: any number of hints become at most HINTS_PER_SECOND messages.

    A broker that is away or slow costs the hints, never the caller, and is logged once until it is back.
    """

    def __init__(self) -> None:
        self._hinted = threading.Event()
        self._awake = threading.Event()
        self._stopped = threading.Event()
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="hinter", daemon=True)
        self._thread.start()

    def hint(self) -> None:
        self._hinted.set()
        self._awake.set()

    def stop(self) -> None:
        """A hint not yet published goes out. A thread stuck in a connection attempt ends with the process."""
        self._stopped.set()
        self._awake.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        last = False
        while not last:
            self._awake.wait()
            self._awake.clear()
            last = self._stopped.is_set()
            if self._hinted.is_set():
                self._hinted.clear()
                self._publish()
            self._stopped.wait(1 / HINTS_PER_SECOND)

    def _publish(self) -> None:
        try:
            deliver_due.apply_async(retry=False, expires=EXPIRES_SECONDS)
        except Exception as error:  # kombu's transports raise what their libraries raise
            if not self._broken:
                logger.warning("broker away, mails wait for the sweep error=%r", str(error) or repr(error))
            self._broken = True
        else:
            if self._broken:
                logger.info("broker is back")
            self._broken = False
