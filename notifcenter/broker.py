"""The broker for installations without one: a folder is the queue.

kombu's own filesystem transport lets a reader see a message, or its table of queues, before it is wholly
written, and the worker dies of the JSON error. Here messages appear by a rename, and what cannot be read is
thrown away: a lost message delays mails until the next sweep.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

DRAFT, TAKEN = ".draft", ".taken"


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        Path(self.data_folder_out).mkdir(parents=True, exist_ok=True)
        path = Path(self.data_folder_out, f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg")
        draft = path.with_name(path.name + DRAFT)
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.rename(path)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message; whoever succeeds in renaming it has it. Somebody may have cleared the folder away."""
        try:
            names = sorted(os.listdir(self.data_folder_in))
        except FileNotFoundError:
            raise Empty from None
        for name in names:
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            path = Path(self.data_folder_in, name)
            taken = path.with_name(name + TAKEN)
            try:
                path.rename(taken)
                text = taken.read_text(encoding="utf-8")
                taken.unlink()
                return loads(text)
            except (FileNotFoundError, ValueError):
                continue
        raise Empty

    def get_table(self, exchange: str) -> Any:
        try:
            return super().get_table(exchange)
        except ValueError:
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        try:
            super()._queue_bind(exchange, routing_key, pattern, queue)
        except ValueError:
            (self.control_folder / f"{exchange}.exchange").unlink(missing_ok=True)
            super()._queue_bind(exchange, routing_key, pattern, queue)


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """Comes back after one pause: Celery asks for two seconds, twice when its worker is to end."""
        pause = self.polling_interval or 0
        super().drain_events(connection, timeout if timeout is None else min(timeout, pause))
