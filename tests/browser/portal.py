"""Another site, on a port of its own: every path is the same page. And the tokens that its users have."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import jwt

from tests import loopback
from tests.loopback import LoopbackServer

TOKEN_SECRET = "a secret that only the browser tests know"


class Portal(LoopbackServer):
    html = ""
    files: Mapping[str, str] = {}
    """Scripts by path; any other path is the page."""
    policy = ""
    """Its content security policy; '' for none."""

    def __init__(self, port: int) -> None:
        super().__init__(PageHandler, port)
        self.url = f"http://localhost:{self.server_port}"


class PageHandler(BaseHTTPRequestHandler):
    server: Portal

    def do_GET(self) -> None:
        script = self.server.files.get(self.path)
        body = (self.server.html if script is None else script).encode()
        self.send_response(200)
        kind = "text/html" if script is None else "text/javascript"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if self.server.policy:
            self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(port: int = 0) -> Iterator[Portal]:
    server = Portal(port)
    with loopback.serving(server):
        yield server


def token_of(username: str, lifetime_seconds: int = 600) -> str:
    claims = {"username": username, "exp": int(time.time()) + lifetime_seconds}
    return jwt.encode(claims, TOKEN_SECRET, "HS256")
