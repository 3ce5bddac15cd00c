"""How much a client may send, whoever it is: a real web process, and bytes that it has not asked for."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from notifcenter.bodies import MAX_BODY_BYTES, MAX_DISCARDED_BYTES

pytestmark = pytest.mark.django_db(transaction=True)

CHUNK = b"x" * 65536
SECONDS = 60.0


def chunked(size: int) -> Iterator[bytes]:
    for _ in range(size // len(CHUNK)):
        yield b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK)
    yield b"0\r\n\r\n"


def plain(size: int) -> Iterator[bytes]:
    for _ in range(size // len(CHUNK)):
        yield CHUNK


def answer(web: str, head: str, body: Iterator[bytes]) -> str:
    """The first line of what comes back; '' when the connection was cut in the middle of the body."""
    with socket.create_connection((urlsplit(web).hostname, urlsplit(web).port), SECONDS) as client:
        request = f"POST /accounts/login/ HTTP/1.1\r\nHost: {urlsplit(web).netloc}\r\n{head}\r\n\r\n"
        try:
            for part in (request.encode(), *body):
                client.sendall(part)
            return client.makefile("rb").readline().decode()
        except ConnectionError:
            return ""


MULTIPART = "Content-Type: multipart/form-data; boundary=b"


@pytest.mark.parametrize("kind", [MULTIPART, "Content-Type: application/json", "Content-Type: x/y"])
def test_a_body_that_is_too_large_is_refused(web: str, kind: str) -> None:
    size = MAX_BODY_BYTES + len(CHUNK)
    assert " 413 " in answer(web, f"{kind}\r\nContent-Length: {size}", plain(size))
    assert " 413 " in answer(web, f"{kind}\r\nTransfer-Encoding: chunked", chunked(size))


def test_one_that_is_not_is_read(web: str) -> None:
    assert " 403 " in answer(web, f"{MULTIPART}\r\nTransfer-Encoding: chunked", chunked(MAX_BODY_BYTES))
    assert " 403 " in answer(web, f"Content-Length: {MAX_BODY_BYTES}", plain(MAX_BODY_BYTES))


def test_forms_are_left_to_django(web: str) -> None:
    """Twisted would refuse this one, after it has taken it apart in the event loop."""
    assert " 403 " in answer(web, f"{MULTIPART}\r\nContent-Length: {len(CHUNK)}", plain(len(CHUNK)))


def test_one_without_an_end_is_cut_off(web: str) -> None:
    endless = chunked(4 * MAX_DISCARDED_BYTES)
    assert answer(web, "Transfer-Encoding: chunked", endless) == ""
