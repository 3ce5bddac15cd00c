"""Many websocket clients in one process, as light as can be: `python -m bench.scale.crowd PORT COOKIES`.

COOKIES is a file with a Cookie header for each client. Commands on standard input, each answered with the monotonic
time at which it was fulfilled: `open` (all have been greeted: at first 200 at a time, after a restart of the server all
at once), `frames N` (so many notifications have come in all). A client that loses its connection, or is not greeted in
time, comes back by itself, as socket.js does.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

AT_ONCE = 200
"""Handshakes under way while nothing has been lost yet."""

PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
HANDSHAKE = (
    "GET /ws/notifications/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: {cookie}\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Crowd:
    def __init__(self, port: int, cookies: list[str]) -> None:
        self.port = port
        self.greeted: set[int] = set()
        self.notifications = 0
        self.changed = asyncio.Event()
        self._cookies = cookies
        self._failures = [0] * len(cookies)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._holders: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._cookies)

    def open(self, number: int) -> None:
        task = asyncio.get_running_loop().create_task(self._open(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def let_all_come_at_once(self) -> None:
        """From now on nobody waits for others, as after a restart of the server."""
        self._slots = asyncio.Semaphore(len(self))
        self._holders.clear()

    def hear(self, number: int, text: bytes) -> None:
        if b'"hello"' in text:
            self.greeted.add(number)
            self._failures[number] = 0
            self._give_back(number)
        elif b'"notification"' in text:
            self.notifications += 1
        self.changed.set()

    def lost(self, number: int) -> None:
        self.greeted.discard(number)
        self._give_back(number)
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** self._failures[number])
        self._failures[number] += 1
        asyncio.get_running_loop().call_later(longest * (0.5 + random.random() / 2), self.open, number)

    async def _open(self, number: int) -> None:
        hello = HANDSHAKE.format(port=self.port, cookie=self._cookies[number]).encode()
        await self._slots.acquire()
        self._holders.add(number)
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: Client(self, number), "127.0.0.1", self.port
            )
            transport.write(hello)
            asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._give_up, number, transport)
        except OSError:
            self.lost(number)

    def _give_up(self, number: int, transport: asyncio.Transport) -> None:
        if number not in self.greeted:
            transport.abort()

    def _give_back(self, number: int) -> None:
        if number in self._holders:
            self._holders.discard(number)
            self._slots.release()


class Client(asyncio.Protocol):
    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd = crowd
        self._number = number
        self._received = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.lost(self._number)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._open:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self._transport.abort()
                return
            self._open, self._received = True, rest
        while frame := self._frame():
            opcode, payload = frame
            if opcode == TEXT:
                self._crowd.hear(self._number, payload)
            elif opcode == PING:  # a mask of zeros changes nothing
                self._transport.write(bytes([0x80 | PONG, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
            elif opcode == CLOSE:
                self._transport.abort()

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame: RFC 6455, section 5.2; a server's are not masked."""
        data = self._received
        if len(data) < 2:
            return None
        start, length = 2, data[1]
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(data[2:start])
        if len(data) < start + length:
            return None
        self._received = data[start + length :]
        return data[0] & 0x0F, data[start : start + length]


async def main(port: int, cookies: list[str]) -> None:
    crowd = Crowd(port, cookies)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    begun = False
    while line := (await commands.readline()).decode().split():
        if line[0] == "open":
            if not begun:
                begun = True
                for number in range(len(crowd)):
                    crowd.open(number)
            await _until(crowd, lambda: len(crowd.greeted) == len(crowd))
            crowd.let_all_come_at_once()
        else:
            wanted = int(line[1])
            await _until(crowd, lambda wanted=wanted: crowd.notifications >= wanted)  # type: ignore[misc]
        print(time.monotonic(), flush=True)


async def _until(crowd: Crowd, reached: Callable[[], bool]) -> None:
    while not reached():
        crowd.changed.clear()
        await crowd.changed.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]).read_text().splitlines()))
