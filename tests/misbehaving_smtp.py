"""A mail server that misbehaves below the level of commands: on a bare socket, one step of its dialogue at a time."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from pytest_django import Settings

Does = Callable[[socket.socket, threading.Event], None]

# Commands by their first four letters.
STEPS = ("greeting", "EHLO", "HELO", "STAR", "AUTH", "MAIL", "RCPT", "DATA", "mail", "RSET", "QUIT")
USUAL: Mapping[str, bytes] = {
    "greeting": b"220 mail.example.org",
    "EHLO": b"250-mail.example.org\r\n250-SIZE 1000000\r\n250-PIPELINING\r\n250 AUTH PLAIN",
    "AUTH": b"235 2.7.0 welcome",
    "DATA": b"354 go on",
    "QUIT": b"221 bye",
}


def say(text: str) -> Does:
    return lambda connection, _: connection.sendall(text.encode() + b"\r\n")


def silence(_: socket.socket, stopped: threading.Event) -> None:
    stopped.wait()


def drip(connection: socket.socket, stopped: threading.Event) -> None:
    """A line that never ends, a byte now and then."""
    while not stopped.wait(0.05):
        connection.sendall(b"2")


def flood(connection: socket.socket, stopped: threading.Event) -> None:
    """An answer of lines without end, as fast as they are read."""
    while not stopped.is_set():
        connection.sendall(b"250-and another thing\r\n" * 1000)


def long_line(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(b"250 " + b"x" * 100_000 + b"\r\n")


def hang_up(connection: socket.socket, _: threading.Event) -> None:
    raise ConnectionAbortedError


def reset(connection: socket.socket, _: threading.Event) -> None:
    """As a host that dies: the connection is reset instead of closed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def then(*parts: Does) -> Does:
    def all_of_them(connection: socket.socket, stopped: threading.Event) -> None:
        for part in parts:
            part(connection, stopped)

    return all_of_them


class MisbehavingServer:
    """`does`: what it does at which of the STEPS instead of the usual. "DATA" in mid-mail: see `cuts_mails`."""

    def __init__(
        self, does: Mapping[str, Does], *, cuts_mails: bool = False, pipelining: bool = True
    ) -> None:
        assert set(does) <= set(STEPS)
        self.does = dict(does)
        self.cuts_mails = cuts_mails
        self._usual = (
            USUAL if pipelining else {**USUAL, "EHLO": USUAL["EHLO"].replace(b"250-PIPELINING\r\n", b"")}
        )
        self.mails: list[bytes] = []
        self.logins = 0
        self.connections = 0
        self._stopped = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def use(self, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "notifications.delivery.bounded_smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", self.port
        settings.EMAIL_CONFIGURED = True

    def _accept(self) -> None:
        while not self._stopped.is_set():
            with suppress(OSError):
                connection, _ = self._listening.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=[connection], daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            self._answer("greeting", connection)
            for line in lines:
                step = line[:4].strip().upper().decode("ascii", "replace")
                self.logins += step == "AUTH"
                self._answer(step, connection)
                if step == "DATA" and "DATA" not in self.does:
                    mail = []
                    for text in lines:
                        if text == b".\r\n":
                            break
                        mail.append(text)
                        if self.cuts_mails:
                            raise ConnectionAbortedError
                    self.mails.append(b"".join(mail))
                    self._answer("mail", connection)
                elif step == "QUIT":
                    return

    def _answer(self, step: str, connection: socket.socket) -> None:
        if step in self.does:
            self.does[step](connection, self._stopped)
        else:
            connection.sendall(self._usual.get(step, b"250 OK") + b"\r\n")

    def stop(self) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> MisbehavingServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
