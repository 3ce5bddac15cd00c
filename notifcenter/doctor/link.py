"""A plain connection to the site, with the authorities that `requests` is told of."""

from __future__ import annotations

import http.client
import os
import ssl
from urllib.parse import SplitResult

ASK_SECONDS = 5.0
ANSWER_BYTES = 64 * 1024


def authorities() -> str | None:
    return os.environ.get("REQUESTS_CA_BUNDLE") or None


def connection(parts: SplitResult) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", parts.port
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=ASK_SECONDS)
    context = ssl.create_default_context(cafile=authorities())
    return http.client.HTTPSConnection(host, port, timeout=ASK_SECONDS, context=context)
