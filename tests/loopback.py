"""A small HTTP server on loopback, on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

LOOK_EVERY_SECONDS = 0.02
"""How long its end takes."""


class LoopbackServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handler: Any, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def serving(server: ThreadingHTTPServer, let_go: threading.Event | None = None) -> Iterator[None]:
    """`let_go` is set at the end, for handlers that wait for it."""
    thread = threading.Thread(target=server.serve_forever, args=[LOOK_EVERY_SECONDS], daemon=True)
    thread.start()
    try:
        yield
    finally:
        if let_go:
            let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
