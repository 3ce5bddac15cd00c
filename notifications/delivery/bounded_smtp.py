"""SMTP that ends in time, whatever the server does.

smtplib's timeout starts anew with every byte that comes, and it reads an answer of any number of lines: a server that
sends one byte a second, or never stops, would hold a worker for hours.
"""

from __future__ import annotations

import smtplib
import socket
import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

from notifications.delivery import wire
from notifications.delivery.pipelining import PipeliningSMTP

MAX_ANSWER_BYTES = 256 * 1024
"""For all answers about one mail."""

READ_BYTES = 4096
GOODBYE_SECONDS = 2.0
OK = 250


def most_seconds() -> float:
    """How long one mail may take, connecting included: two in a row fit into the second half of a lease."""
    return float(settings.DELIVERY_LEASE_SECONDS / 4)


class _Answers:
    """The lines that a server sends; stands in for the file that smtplib reads."""

    def __init__(self, connection: BoundedSMTP) -> None:
        self._connection = connection
        self._rest = b""

    def readline(self, limit: int) -> bytes:
        while b"\n" not in self._rest and len(self._rest) < limit:
            chunk = self._connection.receive()
            if not chunk:
                break
            self._rest += chunk
        line, newline, self._rest = self._rest.partition(b"\n")
        if len(line) >= limit:
            raise OSError("The line is too long.")
        return line + newline

    def close(self) -> None:
        return


class BoundedSMTP(PipeliningSMTP):
    """`begin` starts the time for the next mail."""

    def begin(self, seconds: float | None = None) -> None:
        self._until = time.monotonic() + (most_seconds() if seconds is None else seconds)
        self._received_bytes = 0

    def receive(self) -> bytes:
        """What the server sends next; b'' at the end. Raises TimeoutError, and OSError when it is too much."""
        assert self.sock is not None
        self.sock.settimeout(self._seconds_left())
        chunk = self.sock.recv(READ_BYTES)
        self._received_bytes += len(chunk)
        if self._received_bytes > MAX_ANSWER_BYTES:
            raise OSError("The answer is too long.")
        return chunk

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = _Answers(self)
        return super().getreply()

    def send(self, s: str | bytes) -> None:  # type: ignore[override]
        if self.sock is not None:
            self.sock.settimeout(self._seconds_left())
        super().send(s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connected to the first address that answers, within the time for all of them."""
        self.begin()
        problem: OSError = OSError("The host has no address.")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
            connecting = socket.socket(family, kind, protocol)
            try:
                connecting.settimeout(self._seconds_left())
                connecting.connect(address)
                return connecting
            except OSError as error:
                connecting.close()
                problem = error
        raise problem

    def _seconds_left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("It took too long.")
        return min(left, settings.EMAIL_TIMEOUT)


class BoundedSMTPS(smtplib.SMTP_SSL, BoundedSMTP):
    """TLS from the first byte on."""


@lru_cache(maxsize=1_000)
def _bare(address: str) -> str:
    """As it goes into an SMTP command. Raises ValueError."""
    return str(sanitize_address(address, settings.DEFAULT_CHARSET))


class EmailBackend(smtp.EmailBackend):
    """Django's own, with a bound; it has said EHLO when it is open."""

    connection: Any
    _partial_connection: Any

    @property
    def connection_class(self) -> type[BoundedSMTP]:
        return BoundedSMTPS if self.use_ssl else BoundedSMTP

    def open(self) -> bool | None:
        opened = super().open()
        if opened and self.connection is not None:
            self._partial_connection, self.connection = self.connection, None
            self._partial_connection.ehlo_or_helo_if_needed()
            self._partial_connection, self.connection = None, self._partial_connection
        return opened

    def _send(self, email_message: EmailMessage) -> bool:
        """Django's, but for the way in which the bytes are made. Raises OSError and ValueError."""
        sender, recipients = email_message.from_email, email_message.recipients()
        mail = wire.as_bytes(email_message)
        self.connection.sendmail(_bare(sender), [_bare(one) for one in recipients], mail)
        return True

    def is_ready(self) -> bool:
        """Whether the connection is good for another mail: servers hang up after a while, or after so many.

        RSET rather than NOOP, because smtplib leaves a mail half begun when DATA is refused. Where the server allows
        it, it goes out with the next mail, which may then find a StaleConnection.
        """
        if self.connection is None:
            return False
        self.connection.begin()
        if self.connection.pipelines:
            return True
        try:
            return bool(self.connection.rset()[0] == OK)
        except OSError:
            return False

    def hang_up(self) -> None:
        """Close without a word: a server that stalls would keep us waiting for its answer to QUIT."""
        for connection in (self.connection, self._partial_connection):
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None

    def close(self) -> None:
        if self.connection is not None:
            self.connection.begin(GOODBYE_SECONDS)
        super().close()
