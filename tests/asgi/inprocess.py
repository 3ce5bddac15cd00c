"""Websockets of an application in this process, with a hub of their own whose heart beats fast."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import connection

from notifcenter.asgi import application
from notifications import consumers, live
from notifications.listening import LIVE_CHANNEL
from notifications.models import Notification
from tests.asgi.conftest import IN_PROCESS, session_of
from tests.processes import wait_for

BEAT_SECONDS = 0.2
ORIGIN = "http://127.0.0.1:8000"


@contextmanager
def own_hub(patch: pytest.MonkeyPatch) -> Iterator[live.Hub]:
    patch.setenv("PGAPPNAME", IN_PROCESS)
    patch.setattr(live, "HEARTBEAT_SECONDS", BEAT_SECONDS)
    hub = live.Hub()
    patch.setattr(consumers, "hub", hub)
    yield hub
    hub._loop = None
    wait_for(
        lambda: not any(one.name == "live" for one in threading.enumerate()), what="the live thread ends"
    )


class Tab:
    """A client whose frames are read as dictionaries."""

    def __init__(
        self,
        user: User | None = None,
        *,
        token: str = "",
        origin: str = ORIGIN,
        host: str = "127.0.0.1:8000",
        **headers: str,
    ) -> None:
        sent = {"origin": origin, "host": host, **headers}
        if user:
            sent["cookie"] = f"sessionid={session_of(user)}"
        self.communicator = WebsocketCommunicator(
            application,
            "/ws/notifications/",
            [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()],
            ["notifcenter", f"bearer.{token}"] if token else None,
        )

    async def open(self) -> dict[str, Any]:
        """Connect; the first frame, or what the socket was closed with."""
        connected, _ = await self.communicator.connect(timeout=10)
        assert connected
        return await self.next()

    async def next(self) -> dict[str, Any]:
        message = await self.communicator.receive_output(timeout=10)
        if message["type"] == "websocket.close":
            return {"type": "closed", "code": message["code"]}
        frame: dict[str, Any] = json.loads(message["text"])
        return frame

    async def frame(self, kind: str) -> dict[str, Any]:
        """The next frame of this kind."""
        while (frame := await self.next())["type"] != kind:
            pass
        return frame

    async def ids(self, count: int) -> list[int]:
        return [(await self.frame("notification"))["notification"]["id"] for _ in range(count)]

    async def send(self, **frame: Any) -> None:
        await self.communicator.send_to(text_data=json.dumps(frame))


def store(user: User, count: int = 1, **fields: Any) -> list[int]:
    """Notifications of a user, without anybody being told of them."""
    already = Notification.objects.count()
    made = Notification.objects.bulk_create(
        Notification(user=user, event="failed", framework_name=f"f{already + n}", job_name="j",
                     submission_time="2026-01-01T00:00Z", occurred_at="2026-01-01T00:00Z", **fields)
        for n in range(count)
    )  # fmt: skip
    return [one.pk for one in made]


def announce(payload: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [LIVE_CHANNEL, payload])
