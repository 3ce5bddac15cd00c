"""What is written goes out at once as far as the kernel takes it, and in its order in any case."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.protocol import Protocol

from notifcenter.sockets import PromptTransport

TOO_MUCH = 32 * 1024 * 1024
"""Bytes, more than the buffers of a kernel hold."""


class Watching:
    """In place of the event loop: who waits for room."""

    def __init__(self) -> None:
        self.writers: set[Any] = set()

    def addWriter(self, one: Any) -> None:
        self.writers.add(one)

    def removeWriter(self, one: Any) -> None:
        self.writers.discard(one)

    def addReader(self, one: Any) -> None:
        pass

    removeReader = addReader  # noqa: N815


class Puller:
    """A producer that writes one part each time it is asked."""

    def __init__(self, transport: Any, parts: list[bytes]) -> None:
        self.transport, self.parts = transport, parts

    def resumeProducing(self) -> None:
        if self.parts:
            self.transport.write(self.parts.pop(0))
        else:
            self.transport.unregisterProducer()


@pytest.fixture
def loop() -> Watching:
    return Watching()


@pytest.fixture
def pair(loop: Watching) -> Iterator[tuple[Any, socket.socket]]:
    """The server's end as Twisted has it, and the client's."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as client,
    ):
        accepted, address = listening.accept()
        accepted.setblocking(False)
        client.settimeout(10)
        with accepted:
            yield PromptTransport(accepted, Protocol(), address, None, 1, loop), client


def read(client: socket.socket, transport: Any, loop: Watching, size: int) -> bytes:
    """So many bytes, while the server's end is called whenever it waits."""
    got = bytearray()
    while len(got) < size:
        if transport in loop.writers:
            assert transport.doWrite() is None
        got += client.recv(1 << 20)
    return bytes(got)


def test_a_frame_goes_out_without_a_turn_of_the_loop(pair: Any, loop: Watching) -> None:
    transport, client = pair
    transport.write(b"one")
    assert client.recv(10) == b"one"
    transport.write(b"two")
    assert client.recv(10) == b"two"
    assert not loop.writers


def test_what_waits_is_not_overtaken(pair: Any, loop: Watching) -> None:
    transport, client = pair
    much = bytes(range(256)) * (TOO_MUCH // 256)
    transport.write(much)
    assert loop.writers == {transport}
    transport.write(b"behind it")
    assert read(client, transport, loop, len(much) + 9) == much + b"behind it"
    assert transport.doWrite() is None
    assert not loop.writers
    transport.write(b"at once again")
    assert client.recv(20) == b"at once again"


def test_a_sequence_and_what_follows_it_keep_their_order(pair: Any, loop: Watching) -> None:
    transport, client = pair
    transport.writeSequence([b"head ", b"er "])
    transport.write(b"body")
    assert read(client, transport, loop, 12) == b"head er body"


def test_who_is_asked_for_each_part_is_asked_for_all(pair: Any, loop: Watching) -> None:
    transport, client = pair
    transport.registerProducer(Puller(transport, [b"one", b"two", b"three"]), False)
    assert read(client, transport, loop, 11) == b"onetwothree"


def test_a_client_that_has_gone_is_left_to_the_loop(pair: Any, loop: Watching) -> None:
    transport, client = pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    transport.write(b"x")
    transport.write(b"y")
    assert loop.writers == {transport}
    assert transport.doWrite() is not None, "which closes it then"
