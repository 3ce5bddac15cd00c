"""Bounds on the body of every request, and on how long a client may take to send one.

Daphne hands a request to Django only when all of it is here, and Twisted writes it to a temporary file until then: a
limit of Django's, or of an ASGI application, comes too late to keep a disk from filling. Twisted also reads forms into
memory and takes them apart, in the event loop that serves everybody, for arguments that Daphne never looks at.

Twisted ends a connection on which nothing comes for a minute, but one byte a minute keeps it open for ever, with a
file descriptor and its buffers.
"""

from __future__ import annotations

import time
from typing import Any

from daphne import http_protocol
from daphne.http_protocol import WebRequest
from twisted.protocols.basic import LineReceiver
from twisted.web.http import HTTPChannel

from notifications.ingest_api import MAX_WEBHOOK_BYTES

MAX_BODY_BYTES = MAX_WEBHOOK_BYTES
"""The largest that any address takes. Most take less, and say so themselves."""

MAX_DISCARDED_BYTES = 8 * MAX_BODY_BYTES
"""Up to here what is too much is read and thrown away: who is cut off in the middle never sees the answer."""


REQUEST_SECONDS = 60
"""From the first byte of a request to its last one."""

ROOT_PATH_HEADER = b"daphne-root-path"
"""Daphne takes from it what all addresses of ours begin with, whoever sends it."""


class BoundedChannel(HTTPChannel):
    """One connection. Its timer runs from the first byte of a request, and no further byte sets it back."""

    _begun = False

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if not self._begun:
            self._begun = True
            self.setTimeout(REQUEST_SECONDS)  # type: ignore[no-untyped-call]
        LineReceiver.dataReceived(self, data)  # type: ignore[no-untyped-call]

    def requestDone(self, request: Any) -> None:  # noqa: N802 - Twisted's name
        self._begun = False
        super().requestDone(request)  # type: ignore[no-untyped-call]


class BoundedRequest(WebRequest):  # type: ignore[misc]  # Daphne has no types
    _received = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "parsePOSTFormSubmission": False})

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self._received += len(data)
        if self._received <= MAX_BODY_BYTES:
            super().handleContentChunk(data)
        elif self._received > MAX_DISCARDED_BYTES:
            self.channel.forceAbortClient()

    def process(self) -> object:
        self.requestHeaders.removeHeader(ROOT_PATH_HEADER)
        if self._received <= MAX_BODY_BYTES:
            return super().process()
        self.request_start = time.time()
        self.basic_error(413, b"Content Too Large", f"A body may have {MAX_BODY_BYTES} bytes.")
        return None


def use_bounded_bodies() -> None:
    """For this process's Daphne; to be called before it starts to listen."""
    http_protocol.WebRequest = BoundedRequest
    http_protocol.HTTPFactory.protocol = BoundedChannel
