"""One web process and one poller for all tests of this folder; the rows go away after each test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker
from websockets.sync.client import ClientConnection, connect

from tests import processes
from tests.tokens import SECRET

FRAME_SECONDS = 30.0
IN_PROCESS = "in the process of the tests"
"""The name of its database connections."""


@pytest.fixture(scope="package")
def web_process(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, processes.Process]]:
    with django_db_blocker.unblock():
        folder = tmp_path_factory.mktemp("processes")
        with (
            processes.daphne(folder, PAI_JWT_SECRET=SECRET) as started,
            processes.poller(folder),
        ):
            yield started


@pytest.fixture(scope="package")
def web(web_process: tuple[str, processes.Process]) -> str:
    return web_process[0]


@pytest.fixture(scope="package", autouse=True)
def _no_connection_is_left(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Channels' test clients keep the connections of their threads and tasks open."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = %s AND pid <> pg_backend_pid()",
            [IN_PROCESS],
        )


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


class Socket:
    """A client of the websocket that reads frames as dictionaries."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, frame: Any) -> None:
        self.connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    def frame(self, kind: str | None = None, seconds: float = FRAME_SECONDS) -> dict[str, Any]:
        """The next frame; with `kind`, the next one of that kind."""
        while True:
            frame: dict[str, Any] = json.loads(self.connection.recv(timeout=seconds))
            if kind in (None, frame["type"]):
                return frame

    def ids(self, count: int) -> list[int]:
        return [self.frame("notification")["notification"]["id"] for _ in range(count)]


@contextmanager
def socket(url: str, user: User | None = None, query: str = "", **options: Any) -> Iterator[Socket]:
    """A websocket with the user's session and the page's own origin."""
    headers = {"Cookie": f"sessionid={session_of(user)}"} if user else {}
    options.setdefault("origin", url)
    address = url.replace("http", "ws", 1) + f"/ws/notifications/{query}"
    with connect(address, additional_headers=headers, **options) as connection:
        yield Socket(connection)
