"""A web server on loopback that people might name as a target: it keeps what it gets, and answers as told."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from tests.loopback import LoopbackServer, serving
from tests.tls import Certificate

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """`status`, `headers` and `body` are the answer; `answer` may take its place for one misdeed or another."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self.requests: list[Request] = []
        self.let_go = threading.Event()
        self.reset()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.requests.append(Request(self.path, self.headers, body))
                with suppress(OSError):  # the other side has gone
                    receiver.answer(self)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = LoopbackServer(Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.chain)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"

    def reset(self) -> None:
        self.requests.clear()
        self.let_go.clear()
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b"ok"
        self.answer: Callable[[BaseHTTPRequestHandler], None] = self.say

    def say(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()
        handler.wfile.write(self.body)

    def stall(self, handler: BaseHTTPRequestHandler) -> None:
        """Say nothing until the test is over."""
        self.let_go.wait(60)

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        """One byte of an endless header now and then: each comes within any time-out for a single read."""
        with suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while not self.let_go.wait(0.05):
                handler.wfile.write(b"x")


@contextmanager
def running_receiver(certificate: Certificate | None = None) -> Iterator[Receiver]:
    """With a certificate it speaks TLS."""
    receiver = Receiver(certificate)
    with serving(receiver.server, receiver.let_go):
        yield receiver


@pytest.fixture(scope="session")
def one_receiver() -> Iterator[Receiver]:
    with running_receiver() as server:
        yield server


@pytest.fixture
def closed_receiver(one_receiver: Receiver) -> Iterator[Receiver]:
    """One that may not be reached, because it is on loopback."""
    one_receiver.reset()
    yield one_receiver
    one_receiver.let_go.set()


@pytest.fixture
def receiver(closed_receiver: Receiver, settings: Settings) -> Receiver:
    """One that the admin lets people reach."""
    settings.TARGETS_ALLOW_PRIVATE = LOOPBACK
    return closed_receiver
