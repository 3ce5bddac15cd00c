"""How long to wait before a delivery, or a whole channel, is tried again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable

MINUTE_SECONDS = 60.0

PAUSES_SECONDS = tuple(
    minutes * MINUTE_SECONDS for minutes in (1, 5, 15, 60, 2 * 60, 4 * 60, 5 * 60, 5 * 60, 6 * 60)
)
"""After the first refusal, the second, …: about a day in all, as mail servers themselves keep trying."""

MAX_REFUSALS = len(PAUSES_SECONDS) + 1
JITTER = 0.2

FIRST_REST_SECONDS = 10.0
LONGEST_REST_SECONDS = 300.0


def pause_seconds(refusals: int, jitter: Callable[[float, float], float] = random.uniform) -> float | None:
    """The wait after so many refusals (1 or more), or None when it is enough.

    The jitter keeps what failed together from coming back together.
    """
    if refusals >= MAX_REFUSALS:
        return None
    return PAUSES_SECONDS[refusals - 1] * jitter(1 - JITTER, 1 + JITTER)


class Breaker:
    """Which channels this process leaves alone for a while, because nothing could be sent through them.

    Only spares a mail server that is down, and this process's time; nothing depends on its memory.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rests: dict[str, tuple[float, float]] = {}

    def opened(self, channel: str) -> float:
        """The channel is down; returns the seconds it will rest. They grow from one failure to the next."""
        now = self._clock()
        with self._lock:
            until, rest = self._rests.get(channel, (0.0, 0.0))
            if until <= now:  # several threads that find the same outage count once
                rest = min(max(2 * rest, FIRST_REST_SECONDS), LONGEST_REST_SECONDS)
                until = now + rest
                self._rests[channel] = (until, rest)
            return until - now

    def closed(self, channel: str) -> None:
        """Something was sent through the channel."""
        with self._lock:
            self._rests.pop(channel, None)

    def resting(self, channels: Iterable[str]) -> list[str]:
        now = self._clock()
        with self._lock:
            return [channel for channel in channels if self._rests.get(channel, (0.0, 0.0))[0] > now]
