"""The real Alertmanager on loopback, and a small server that answers as an old, a new or a broken one does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests import processes
from tests.loopback import LoopbackServer, serving

PROGRAM = shutil.which("prometheus-alertmanager")
needs_alertmanager = pytest.mark.skipif(
    not PROGRAM, reason="prometheus-alertmanager is absent (Debian package of that name)"
)
TOKEN = "a-token-that-only-the-tests-know"

CONFIG = """
route:
  receiver: notifcenter
  group_by: [alertname, username, job_name]
  group_wait: 50ms
  group_interval: 200ms
  repeat_interval: 1h
receivers:
  - name: notifcenter
    webhook_configs:
      - url: {url}/api/v1/ingest/alertmanager/
        http_config: {{authorization: {{credentials: {token}}}}}
"""


@contextmanager
def alertmanager(folder: Path, url: str, port: int = 0) -> Iterator[str]:
    """One that posts to `url`; yields its address."""
    config = folder / "alertmanager.yml"
    config.write_text(CONFIG.format(url=url, token=TOKEN))
    port = port or processes.free_port()
    arguments = [
        PROGRAM or "",
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with processes.running(arguments, folder / "alertmanager.log") as process:
        processes.wait_for(
            lambda: process.popen.poll() is not None or processes.answers(port), what="it listens"
        )
        assert process.popen.poll() is None, process.log
        yield f"http://127.0.0.1:{port}"


def fire(address: str, *, minutes: float = 60, **labels: str) -> None:
    """Post one alert as Prometheus does; with negative `minutes` it has ended."""
    now = datetime.now(UTC)
    alert = {
        "labels": {"alertname": "GpuIdle", "severity": "warn", **labels},
        "annotations": {"summary": "GPUs are idle", "description": "Less than 10 % for an hour."},
        "startsAt": STARTED.isoformat(),
        "endsAt": (now + timedelta(minutes=minutes)).isoformat(),
    }
    call(f"{address}/api/v2/alerts", [alert])


STARTED = datetime.now(UTC) - timedelta(minutes=30)


def call(url: str, body: Any = None, token: str = "") -> tuple[int, Any]:
    """(status, JSON); with a body, POST."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = Request(url, None if body is None else json.dumps(body).encode(), headers)
    try:
        with urlopen(request, timeout=10) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")


class FakeAlertmanager:
    """Answers by path with these codes, as given in turn (the last one again and again); keeps what was posted."""

    def __init__(self, **codes: list[int]) -> None:
        self.posted: list[tuple[str, list[dict[str, Any]]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                alerts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                version = self.path.split("/")[2]
                left = codes.get(version, [404])
                code = left.pop(0) if len(left) > 1 else left[0]
                outer.posted.append((f"{version} {code}", alerts))
                answer = '"no\u202e such thing"'.encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                return

        self.server = LoopbackServer(Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def fake_alertmanager(**codes: list[int]) -> Iterator[FakeAlertmanager]:
    played = FakeAlertmanager(**codes)
    with serving(played.server):
        yield played
