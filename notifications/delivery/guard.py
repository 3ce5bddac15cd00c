"""Keeps code that opens connections for a user out of the inside of the network, and within a time.

The check sits where Python connects a socket, so that it holds for every library, sees the very address that is
connected to (a name that resolves differently the second time gains nothing), and cannot be talked around by an
odd spelling of a host. See `sys.addaudithook` and Python's table of audit events.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings

from notifications.delivery.addresses import why_refused

FORBIDDEN = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.bind",
        "subprocess.Popen",
    }
)
"""Ways to go on where the guard does not see it. Another thread is one too, which no event tells of in every version of
Python; so what runs under the guard is chosen to start none."""


class ForbiddenError(OSError):
    """The connection may not be made; the text says why."""


class OutOfTimeError(TimeoutError):
    """All took too long together."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no complete answer within {seconds:g} seconds")


class Guard:
    """What is going on under `guarded` in one thread. `encrypted` is set by who knows the protocol, `proxies` (address
    and port) by who goes through one.
    """

    def __init__(self, seconds: float) -> None:
        self.encrypted = False
        self.proxies: Collection[tuple[str, int]] = ()
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] | None = []

    @property
    def left_seconds(self) -> float:
        return self._end - time.monotonic()

    @property
    def is_out_of_time(self) -> bool:
        return self.left_seconds <= 0

    def check_time(self) -> None:
        if self.is_out_of_time:
            raise OutOfTimeError(self.seconds)

    def check(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called before Python does what the audit event names. Raises ForbiddenError or OutOfTimeError."""
        if event == "socket.getaddrinfo":
            self.check_time()
        elif event == "socket.connect":
            self.check_time()
            self._check_destination(arguments[1])
            self._watch(arguments[0])
        elif event in ("socket.sendto", "socket.sendmsg"):
            if arguments[1] is not None:
                raise ForbiddenError("only connections can be made")
        elif event in FORBIDDEN:
            raise ForbiddenError(f"{event} is not allowed while something is sent for a user")

    def stop(self) -> None:
        """Let go of the copies of the sockets."""
        with self._lock:
            sockets, self._sockets = self._sockets or [], None
        for one in sockets:
            one.close()

    def interrupt(self) -> None:
        """End all connections, whatever waits for them."""
        with self._lock:
            for one in self._sockets or ():
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def check_address(self, host: str, port: int) -> None:
        """Raises ForbiddenError."""
        why = why_refused(
            host,
            port,
            encrypted=self.encrypted,
            allowed=settings.TARGETS_ALLOW_PRIVATE,
            denied=settings.TARGETS_DENY,
        )
        if why:
            raise ForbiddenError(why)

    def _check_destination(self, address: object) -> None:
        match address:
            case (str(host), int(port), *_) if (host, port) in self.proxies:
                return
            case (str(host), int(port), *_):
                self.check_address(host, port)
            case _:
                raise ForbiddenError("only addresses of the internet can be connected to")

    def _watch(self, one: socket.socket) -> None:
        """A copy, because TLS takes the socket itself away from its object."""
        copy = one.dup()
        with self._lock:
            if self._sockets is not None:
                self._sockets.append(copy)
        self.check_time()  # `interrupt` may have come by just before


class _Current(threading.local):
    guard: Guard | None = None


_current = _Current()


@contextmanager
def guarded(*, seconds: float) -> Iterator[Guard]:
    """What this thread does inside can reach only what `addresses` lets through, and no later than `seconds` from now.

    The resolver of names is the one thing that is not interrupted; it has bounds of its own (resolv.conf).
    """
    _install()
    guard = Guard(seconds)
    watch = threading.Timer(seconds, guard.interrupt)
    watch.daemon = True
    watch.start()
    _current.guard = guard
    try:
        yield guard
    finally:
        _current.guard = None
        watch.cancel()
        guard.stop()


def present_guard() -> Guard:
    """The guard of this thread. Raises RuntimeError outside of `guarded`."""
    if _current.guard is None:
        raise RuntimeError("nothing may be sent to a user's address outside of `guarded`")
    return _current.guard


_installed = threading.Event()
_installing = threading.Lock()


def _install() -> None:
    """Once a process, and only in those that send: an audit hook is called often, and cannot be taken away."""
    with _installing:
        if not _installed.is_set():
            sys.addaudithook(_hook)
            _installed.set()


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    guard = _current.guard
    if guard is not None:
        guard.check(event, arguments)
