"""Stop a loop from a signal: every wait ends at once, the step at work is finished."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from notifications.waiting import wait_readable


class Stop:
    """Something to wait on beside other files. A second Ctrl-C kills."""

    def __init__(self) -> None:
        self.requested = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def request(self) -> None:
        self.requested = True
        os.write(self._writer, b"x")

    def wait(self, seconds: float, files: Sequence[int] = ()) -> bool:
        """Wait until stopped, or one of `files` can be read, or the time is up. Whether to stop."""
        if not self.requested:
            wait_readable([self._reader, *files], seconds)
        return self.requested

    @contextmanager
    def on_signals(self) -> Iterator[Stop]:
        """SIGTERM and SIGINT request the stop while inside."""

        def handle(number: int, frame: FrameType | None) -> None:
            if self.requested and number == signal.SIGINT:
                raise KeyboardInterrupt
            self.request()

        before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
