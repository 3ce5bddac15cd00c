"""The floor of the sockets: a bare Channels consumer under Daphne, and a dictionary of those that are open."""

from __future__ import annotations

import asyncio
import json
import os

import psycopg2
from channels.generic.websocket import AsyncWebsocketConsumer

HELLO = json.dumps({"type": "hello", "unread": 0, "more": False, "last_id": 0})
CHANNEL = "floor_crowd"
"""NOTIFY with a number: so many of the open sockets get one frame each."""

FRAME = json.dumps({"type": "notification", "unread": 1, "more": False, "notification": {"title": "x" * 700}})

consumers: dict[int, Bare] = {}


class Bare(AsyncWebsocketConsumer):  # type: ignore[misc]  # the library is untyped
    async def connect(self) -> None:
        _listen()
        consumers[id(self)] = self
        await self.accept()
        await self.send(text_data=HELLO)

    async def disconnect(self, code: int) -> None:
        consumers.pop(id(self), None)


async def _tell(count: int) -> None:
    for consumer in list(consumers.values())[:count]:
        await consumer.send(text_data=FRAME)


_tasks: set[asyncio.Task[None]] = set()


def _listen(opened: list[psycopg2.extensions.connection] = []) -> None:  # noqa: B006 - once in a process
    if opened:
        return
    session = psycopg2.connect(os.environ["DATABASE_URL"])
    opened.append(session)
    session.autocommit = True
    session.cursor().execute(f"LISTEN {CHANNEL}")

    def hear() -> None:
        session.poll()
        for note in session.notifies:
            _tasks.add(asyncio.get_running_loop().create_task(_tell(int(note.payload))))
        session.notifies.clear()

    asyncio.get_running_loop().add_reader(session.fileno(), hear)


application = Bare.as_asgi()
