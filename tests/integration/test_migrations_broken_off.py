"""Migrations that meet others at work in the database, or are broken off, against the real server."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.database import another_database
from tests.processes import ROOT, Process, database_url, environment, manage, running, wait_for

pytestmark = pytest.mark.django_db

BEFORE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", "notifications", "0002", verbosity=0)
call_command("migrate", "preferences", "0002", verbosity=0)
"""
INDEXES = """
SELECT relname, indexrelid, indisvalid FROM pg_class JOIN pg_index ON indexrelid = oid
 WHERE relname IN ('inbox_open', 'folder_open', 'returned') OR NOT indisvalid ORDER BY relname
"""
LOOKS_AT_ITS_STATE = """
SELECT pid FROM pg_stat_activity WHERE query LIKE '%to_regclass(quote_ident%' AND pid <> pg_backend_pid()
"""

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def env() -> Iterator[dict[str, str]]:
    """Of a database before the first migration that makes an index."""
    with another_database("notifcenter_broken_off") as name:
        env = environment(DATABASE_URL=database_url(name), DJANGO_SETTINGS_MODULE="notifcenter.settings")
        subprocess.run([sys.executable, "-c", BEFORE], env=env, cwd=ROOT, check=True, timeout=100)
        yield env


@pytest.fixture
def query(env: dict[str, str]) -> Iterator[Query]:
    with session(env) as ask:
        yield ask


@contextmanager
def session(env: dict[str, str]) -> Iterator[Query]:
    with closing(psycopg2.connect(env["DATABASE_URL"])) as connection, connection.cursor() as cursor:
        connection.autocommit = True

        def ask(statement: str, *values: object) -> list[tuple[Any, ...]]:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

        yield ask


@contextmanager
def migrating(env: dict[str, str], folder: Path, *arguments: str) -> Iterator[Process]:
    with running(manage("migrate", *arguments), folder / "migrate.log", env) as process:
        yield process


def building(query: Query) -> list[tuple[Any, ...]]:
    """The process of the server that waits, in the middle of making an index, for an older transaction."""
    return query("SELECT pid FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for%'")


@pytest.fixture
def old_transaction(env: dict[str, str]) -> Iterator[Query]:
    """One that has seen rows; no index can be finished before it ends."""
    with session(env) as ask:
        ask("BEGIN ISOLATION LEVEL REPEATABLE READ")
        ask("SELECT count(*) FROM notifications_notification")
        yield ask


class TestAnIndex:
    def test_what_a_broken_off_build_left_is_built_anew(
        self, env: dict[str, str], query: Query, old_transaction: Query, tmp_path: Path
    ) -> None:
        with migrating(env, tmp_path) as process:
            ((pid,),) = wait_for(lambda: building(query))
            query("SELECT pg_terminate_backend(%s)", pid)
            assert process.popen.wait(60) == 1
        ((name, left, valid),) = query(INDEXES)
        assert (name, valid) == ("inbox_open", False)

        old_transaction("ROLLBACK")
        with migrating(env, tmp_path, "notifications", "0003") as process:
            assert process.popen.wait(60) == 0, process.log
        ((name, built, valid),) = query(INDEXES)
        assert (name, valid) == ("inbox_open", True)
        assert built != left

    def test_ctrl_c_ends_it_and_the_next_try_goes_on(
        self, env: dict[str, str], query: Query, old_transaction: Query, tmp_path: Path
    ) -> None:
        with migrating(env, tmp_path) as process:
            wait_for(lambda: building(query))
            process.popen.send_signal(signal.SIGINT)
            assert process.popen.wait(60) == 1
            assert "Run it again: it goes on where it was." in process.log
            assert "Traceback" not in process.log
        assert building(query) == []

        old_transaction("ROLLBACK")
        with migrating(env, tmp_path) as process:
            assert process.popen.wait(60) == 0, process.log
        assert [(name, valid) for name, _, valid in query(INDEXES)] == [
            ("folder_open", True),
            ("returned", True),
        ]

    def test_one_that_the_server_is_still_at_work_on_is_waited_for(
        self, env: dict[str, str], query: Query, old_transaction: Query, tmp_path: Path
    ) -> None:
        with migrating(env, tmp_path) as process:
            wait_for(lambda: building(query))
            process.kill()
        ((_, begun, _),) = query(INDEXES)
        with migrating(env, tmp_path, "notifications", "0003") as process:
            wait_for(lambda: query(LOOKS_AT_ITS_STATE))
            old_transaction("ROLLBACK")
            assert process.popen.wait(60) == 0, process.log
        assert query(INDEXES) == [("inbox_open", begun, True)]


def test_a_table_in_use_holds_up_the_migration_and_nobody_else(
    env: dict[str, str], query: Query, tmp_path: Path
) -> None:
    """As `pg_dump` holds it for as long as it runs."""
    with migrating(env, tmp_path, "notifications", "0010") as process:
        assert process.popen.wait(60) == 0, process.log
    with session(env) as reader, migrating(env, tmp_path) as process:
        reader("BEGIN")
        reader("SELECT count(*) FROM notifications_notification")
        process.wait_for_log("waits: somebody uses the table")
        ((pid,),) = reader("SELECT pg_backend_pid()")
        assert f"process {pid} of" in process.log
        query("SET lock_timeout = '30s'")
        query("INSERT INTO notifications_metricvalue VALUES ('x', '{}', 0, 1)")
        query("UPDATE notifications_notification SET saved = true")
        reader("ROLLBACK")
        assert process.popen.wait(60) == 0, process.log
    assert query("SELECT count(*) FROM information_schema.columns WHERE column_name = 'returned_at'") == [
        (1,)
    ]
