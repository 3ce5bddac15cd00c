"""Many sockets are served one after the other, and a slow one holds nobody up."""

from __future__ import annotations

import asyncio

import pytest

from notifications import rounds
from notifications.rounds import Round


class Client:
    """Of a server that waits for it until `gate` is open."""

    def __init__(
        self, name: str, served: list[str], gate: asyncio.Event | None = None, *, broken: bool = False
    ):
        self.name, self.served, self.gate, self.broken = name, served, gate, broken

    async def send_queued(self) -> None:
        if self.broken:
            raise RuntimeError("\nthe connection has gone")
        if self.gate:
            await self.gate.wait()
        self.served.append(self.name)


async def until_idle() -> None:
    while rounds._running:
        await asyncio.wait(set(rounds._running))


async def test_in_their_order_by_one_task() -> None:
    served: list[str] = []
    Round([Client(name, served) for name in "abc"])
    assert len(rounds._running) == 1
    await until_idle()
    assert served == ["a", "b", "c"]


async def test_slow_ones_hold_nobody_up_and_are_served_when_they_can() -> None:
    served: list[str] = []
    gate = asyncio.Event()
    slow = [Client(f"slow{number}", served, gate) for number in range(40)]
    Round([*slow, Client("quick", served)])
    async with asyncio.timeout(10):
        while "quick" not in served:
            await asyncio.sleep(0)
    assert served == ["quick"]
    gate.set()
    await until_idle()
    assert sorted(served) == sorted(["quick", *(one.name for one in slow)])


async def test_a_broken_one_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "notifications.rounds")
    served: list[str] = []
    Round([Client("broken", served, broken=True), Client("whole", served)])
    await until_idle()
    assert served == ["whole"]
    assert [record.getMessage() for record in caplog.records] == [
        "socket not reached error='\\nthe connection has gone'"
    ]


async def test_for_nobody_there_is_nothing_to_do() -> None:
    Round([])
    assert not rounds._running
