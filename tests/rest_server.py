"""Plays the cluster's REST server on loopback: its list of users, and everything that can go wrong with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from tests.loopback import LoopbackServer, serving

TOKEN = "header.of-an-admin.signature"
CHOICE = "getJobStatusChangeNotificationBy"


def person(username: str, email: Any = "", admin: Any = False, **choice: Any) -> dict[str, Any]:
    """A user as OpenPAI shows them; `choice`: by_email, by_webportal."""
    extension: dict[str, Any] = {"virtualCluster": ["default"]}
    if choice:
        extension[CHOICE] = {name.removeprefix("by_"): on for name, on in choice.items()}
    return {
        "username": username, "email": email, "admin": admin, "grouplist": ["default"],
        "virtualCluster": ["default"], "extension": extension,
    }  # fmt: skip


class RestServer:
    """`users` is what it answers; `answer` may take its place for one misdeed or another."""

    def __init__(self) -> None:
        self.users: list[Any] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = self.list_users
        self.asked: list[tuple[str, str]] = []  # path, Authorization
        self.let_go = threading.Event()
        rest_server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                rest_server.asked.append((self.path, self.headers.get("Authorization", "")))
                with suppress(OSError):  # the client has gone
                    rest_server.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = LoopbackServer(Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def list_users(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            reply(handler, {"code": "UnauthorizedUserError", "message": "Guest is not allowed."}, status=401)
        elif handler.path != "/rest-server/api/v2/users":
            reply(handler, {"code": "NoApiError"}, status=404)
        else:
            reply(handler, self.users)

    def name(self, *users: Any) -> None:
        self.users = list(users)


def reply(
    handler: BaseHTTPRequestHandler, body: Any, status: int = 200, headers: dict[str, str] | None = None
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw)


@contextmanager
def rest_server() -> Iterator[RestServer]:
    played = RestServer()
    with serving(played.server, played.let_go):
        yield played


@pytest.fixture
def cluster(settings: Settings) -> Iterator[RestServer]:
    with rest_server() as server:
        settings.PAI_REST_SERVER_URL = server.url + "/rest-server"
        settings.PAI_REST_SERVER_TOKEN = TOKEN
        yield server
