"""Brokers that lose what they have: the messages are taken out, or the broker is started again empty."""

from __future__ import annotations

import random
from pathlib import Path

import redis

from tests.brokers import Redis


class Folder:
    name = "folder as broker"
    url = "filesystem://"

    def __init__(self, data: Path) -> None:
        """`data`: the product's data folder."""
        self._data = data

    def empty(self, dice: random.Random) -> str:
        for message in Path(self._data, "celery", "queue").glob("*.msg*"):
            message.unlink(missing_ok=True)
        return "messages removed"

    def close(self) -> None:
        return


class EmptiedRedis(Redis):
    name = "Redis"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.start()

    def empty(self, dice: random.Random) -> str:
        if dice.random() < 0.5:
            self.stop()
            self.start()
            return "killed and started empty"
        client = redis.Redis.from_url(self.url)
        client.flushall()
        client.close()
        return "flushed"
