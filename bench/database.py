"""Databases of the benchmarks' own, on the private server or the one of DATABASE_URL."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import extensions

NAME = "notifcenter_bench"
SNAPSHOT_BYTES = 6000


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table. `ratio` is ours against the floor, `target` what it must reach."""

    name: str
    ours: str
    floor: str
    ratio: float | None = None
    target: str = ""
    reached: bool = True

    def __str__(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:6.2f} ×"
        verdict = "" if not self.target else ("reached" if self.reached else "MISSED")
        return f"| {self.name:58} | {self.ours:>22} | {self.floor:>22} | {ratio:>9} | {self.target:>9} | {verdict} |"


def create(name: str = NAME) -> None:
    """Make this database anew, switch to it, migrate, install the capture."""
    with server() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    switch(name)
    from django.core.management import call_command
    from django.db import connection

    from notifications.sources.frameworks.demo.table import create_table

    call_command("migrate", verbosity=0)
    create_table(connection)
    call_command("capture", "install", verbosity=0)


def switch(name: str) -> None:
    """From now on this process, and those that it starts, use that database; sets Django up."""
    os.environ["DATABASE_URL"] = f"{_server_url()}/{name}"
    os.environ["EMAIL_URL"] = "smtp://127.0.0.1:1"
    os.environ["NOTIFCENTER_DATA_DIR"] = str(data())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifcenter.settings")
    import django

    django.setup()
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


@contextmanager
def server() -> Iterator[extensions.cursor]:
    """For statements about databases."""
    admin = psycopg2.connect(_given or f"{_server_url()}/postgres")
    admin.autocommit = True
    try:
        with admin.cursor() as cursor:
            yield cursor
    finally:
        admin.close()


_given = os.environ.get("DATABASE_URL", "")


@cache
def _server_url() -> str:
    if _given:
        return _given.rsplit("/", 1)[0]
    from notifcenter.embedded.server import ensure_running

    params = ensure_running(data(), "postgres")
    return f"postgresql://postgres@{quote(params['host'], safe='')}:{params['port']}"


@cache
def data() -> Path:
    """The folder of the private server; it is there."""
    folder = Path(os.environ.get("NOTIFCENTER_DATA_DIR", ".data")).resolve() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def connect() -> extensions.connection:
    from django.db import connection

    opened: extensions.connection = psycopg2.connect(**connection.get_connection_params())
    return opened


def execute(sql: str, parameters: Sequence[object] = ()) -> None:
    connection = connect()
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
    finally:
        connection.close()


def reset(
    frameworks: int,
    *,
    snapshot_bytes: int = SNAPSHOT_BYTES,
    state: str = "WAITING",
    asking: bool = True,
    sweeps: bool = False,
) -> None:
    """Empty all tables and fill `frameworks`: jobs of 20 users, who ask for everything or say nothing.

    With `sweeps` each user's jobs are one sweep; else no two of them belong together by their names.
    """
    execute("TRUNCATE frameworks")
    clear()
    add_jobs(frameworks, snapshot_bytes=snapshot_bytes, state=state, asking=asking, sweeps=sweeps)


def clear() -> None:
    """Empty our own tables but for 20 users."""
    execute("TRUNCATE notifications_capturedchange, notifications_waitingjob, notifications_failedchange")
    execute("TRUNCATE notifications_notification CASCADE")
    execute(
        "INSERT INTO auth_user (username, password, email, first_name, last_name, is_active, is_staff, "
        "is_superuser, date_joined) SELECT 'user' || n, '!', 'user' || n || '@example.org', '', '', true, false, "
        "false, now() FROM generate_series(0, 19) n ON CONFLICT DO NOTHING"
    )


def add_jobs(count: int, *, snapshot_bytes: int, state: str, asking: bool, sweeps: bool) -> None:
    """Jobs with the names md5('1'), md5('2'), …, behind the trigger's back; then all tables are put in order."""
    execute("ALTER TABLE frameworks DISABLE TRIGGER USER")
    execute(
        'INSERT INTO frameworks (name, "jobName", "userName", "virtualCluster", "totalGpuNumber", state, retries, '
        '"submissionTime", "updatedAt", snapshot, "notificationAtRunning", "notificationAtSucceeded", '
        '"notificationAtFailed", "notificationAtStopped", "notificationAtRetried") '
        "SELECT md5(n::text), 'user' || n %% 20 || '~job-' || n || %s, 'user' || n %% 20, 'default', 1, %s, 0, "
        "now() - n * interval '1 second', now(), "
        # random text, so that it is stored out of line and uncompressed as a real snapshot nearly is
        "(SELECT string_agg(md5(n::text || i::text), '') FROM generate_series(1, %s) i), "
        "%s, %s, %s, %s, %s FROM generate_series(1, %s) n",
        ["" if sweeps else "-alone", state, snapshot_bytes // 32, *[asking] * 5, count],
    )
    execute("ALTER TABLE frameworks ENABLE TRIGGER USER")
    execute("VACUUM ANALYZE")
    execute("CHECKPOINT")


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


median = statistics.median
