"""A client that sends slowly holds a connection for a minute, not for ever."""

from __future__ import annotations

from typing import Any

import pytest
from daphne import http_protocol
from twisted.internet import task, testing
from twisted.web import http

from notifcenter.bodies import REQUEST_SECONDS, BoundedChannel, use_bounded_bodies

IDLE_SECONDS = 60
TASK: Any = task  # Twisted's types are half there
TESTING: Any = testing
HTTP: Any = http


class Answered(HTTP.Request):  # type: ignore[misc]
    def process(self) -> None:
        self.write(b"ok")
        self.finish()


@pytest.fixture
def clock() -> Any:
    return TASK.Clock()


@pytest.fixture
def connection(clock: Any) -> Any:
    """A connection as the factory makes them, with what is sent to it in `transport`."""
    factory = HTTP.HTTPFactory(timeout=IDLE_SECONDS, reactor=clock)
    factory.protocol = BoundedChannel
    channel = factory.buildProtocol(None)
    assert type(channel) is BoundedChannel
    channel.requestFactory = Answered
    connection: Any = channel
    connection.makeConnection(TESTING.StringTransport())
    return connection


def drip(connection: Any, clock: Any, data: bytes, *, pause: float) -> float:
    """Send byte by byte until the connection is being closed; how long that took."""
    for number, byte in enumerate(data):
        if connection.transport.disconnecting:
            return number * pause
        connection.dataReceived(bytes([byte]))
        clock.advance(pause)
    pytest.fail("the connection is still open")


HEADERS = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 400
BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + b"x" * 4000


@pytest.mark.parametrize("data", [HEADERS, b"G" * 3000, BODY], ids=["headers", "one line", "body"])
def test_one_byte_after_the_other(connection: Any, clock: Any, data: bytes) -> None:
    assert REQUEST_SECONDS <= drip(connection, clock, data, pause=1) <= REQUEST_SECONDS + 1


def test_nothing_at_all(connection: Any, clock: Any) -> None:
    clock.advance(IDLE_SECONDS)
    assert connection.transport.disconnecting


def test_each_request_of_a_connection_has_the_whole_time(connection: Any, clock: Any) -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    for _ in range(3):
        connection.dataReceived(request[:5])
        clock.advance(REQUEST_SECONDS - 1)
        connection.dataReceived(request[5:])
        assert connection.transport.value().count(b"HTTP/1.1 200") == 1
        connection.transport.clear()
        clock.advance(IDLE_SECONDS - 1)
    assert not connection.transport.disconnecting


def test_the_web_process_uses_it() -> None:
    use_bounded_bodies()
    assert http_protocol.HTTPFactory.protocol is BoundedChannel
