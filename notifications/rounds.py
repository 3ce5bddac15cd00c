"""Sends to many sockets what waits for them, without a task for each."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import Protocol

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.05
"""Where a server lets one wait for a slow client, the others wait for so long, and only once."""

_running: set[asyncio.Task[None]] = set()


class Socket(Protocol):
    async def send_queued(self) -> None:
        """May wait as long as its client takes, and raise whatever the server raises for one that is gone."""


class Round:
    """One task goes from socket to socket. When it is held up, twice as many go on with the rest, and so on."""

    def __init__(self, sockets: Iterable[Socket]) -> None:
        """To be called in the event loop."""
        self._rest = deque(sockets)
        self._tasks = 0
        self._go_on()

    def _go_on(self) -> None:
        if not self._rest:
            return
        loop = asyncio.get_running_loop()
        for _ in range(max(1, self._tasks)):
            task = loop.create_task(self._send())
            self._tasks += 1
            _running.add(task)  # the loop itself holds tasks only weakly
            task.add_done_callback(_running.discard)
        self._timer = loop.call_later(PATIENCE_SECONDS, self._go_on)

    async def _send(self) -> None:
        while self._rest:
            try:
                await self._rest.popleft().send_queued()
            except Exception as error:  # the others are not to suffer from it
                logger.info("socket not reached error=%r", str(error))
        self._timer.cancel()
