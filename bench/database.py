"""A database of the benchmarks' own, on the private server or the one of DATABASE_URL, made anew each time."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
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


def create() -> None:
    """Create the database, point DATABASE_URL at it, set Django up, migrate, install the capture."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifcenter.settings")
    data = Path(os.environ.get("NOTIFCENTER_DATA_DIR", ".data")).resolve() / "bench"
    os.environ["NOTIFCENTER_DATA_DIR"] = str(data)
    os.environ["EMAIL_URL"] = "smtp://127.0.0.1:1"
    given = os.environ.get("DATABASE_URL")
    if given:
        admin = psycopg2.connect(given)
        os.environ["DATABASE_URL"] = given.rsplit("/", 1)[0] + "/" + NAME
    else:
        from notifcenter.embedded.server import ensure_running

        params = ensure_running(data, "postgres")
        admin = psycopg2.connect(dbname="postgres", **params)
        place = quote(params["host"], safe="")
        os.environ["DATABASE_URL"] = f"postgresql://postgres@{place}:{params['port']}/{NAME}"
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {NAME}")
    admin.close()

    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from notifications.sources.frameworks.demo.table import create_table

    call_command("migrate", verbosity=0)
    create_table(connection)
    call_command("capture", "install", verbosity=0)


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
    execute(
        "TRUNCATE frameworks, notifications_capturedchange, notifications_waitingjob, notifications_failedchange"
    )
    execute("TRUNCATE notifications_notification CASCADE")
    execute(
        "INSERT INTO auth_user (username, password, email, first_name, last_name, is_active, is_staff, "
        "is_superuser, date_joined) SELECT 'user' || n, '!', 'user' || n || '@example.org', '', '', true, false, "
        "false, now() FROM generate_series(0, 19) n ON CONFLICT DO NOTHING"
    )
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
        ["" if sweeps else "-alone", state, snapshot_bytes // 32, *[asking] * 5, frameworks],
    )
    execute("ALTER TABLE frameworks ENABLE TRIGGER USER")
    execute("VACUUM ANALYZE")
    execute("CHECKPOINT")


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


median = statistics.median
