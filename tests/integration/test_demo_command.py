"""`demo_cluster`: a whole history at once, or a cluster that lives until it is told to end."""

from __future__ import annotations

import io
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from notifications.sources.frameworks.demo.jobs import FINAL_STATES
from notifications.sources.frameworks.demo.snapshots import NAMESPACE
from preferences.job_protocol import read_block
from preferences.kinds import Event
from tests.database import sql
from tests.processes import environment, manage, running, wait_for


def test_the_same_seed_plays_the_same_jobs(db: None) -> None:
    def history() -> list[tuple[Any, ...]]:
        call_command("demo_cluster", "--once", "--jobs", "40", "--seed", "3", verbosity=0)
        return sql('SELECT name, "userName", state, retries, "appExitCode" FROM frameworks ORDER BY name')

    first = history()
    assert len(first) == 40
    assert history() == first


def test_once_plays_a_hundred_whole_lives_of_the_given_users(db: None) -> None:
    out = io.StringIO()
    call_command("demo_cluster", "--once", "--users", "erin, frank", stdout=out)
    assert "100 jobs" in out.getvalue()
    ((jobs, users),) = sql(
        'SELECT count(*), array_agg(DISTINCT "userName"::text ORDER BY "userName"::text)'
        " FROM frameworks WHERE state IN %s",
        FINAL_STATES,
    )
    assert (jobs, users) == (100, ["erin", "frank"])
    ((latest,),) = sql('SELECT max("completionTime") FROM frameworks')
    assert latest <= datetime.now(UTC)


def test_files_say_what_the_columns_say_or_nothing(db: None) -> None:
    call_command("demo_cluster", "--once", "--jobs", "60", "--seed", "5", verbosity=0)
    columns = '"notificationAtRunning", "notificationAtSucceeded", "notificationAtFailed"'
    silent = 0
    for config, *wanted in sql(f'SELECT "jobConfig", {columns} FROM frameworks'):
        block = read_block(config)
        assert block.warnings == ()
        events = (Event.RUNNING, Event.SUCCEEDED, Event.FAILED)
        assert [bool((block.block or {}).get(event)) for event in events] == wanted
        silent += block.block is None
    assert 0 < silent < 60


def test_snapshots_are_as_large_as_real_ones(db: None) -> None:
    call_command("demo_cluster", "--once", "--jobs", "60", "--seed", "5", verbosity=0)
    ((average,),) = sql("SELECT avg(length(snapshot)) FROM frameworks")
    assert 10_000 < average < 50_000


@pytest.mark.parametrize(
    "arguments", [["--rate", "0"], ["--rate", "many"], ["--jobs", "0"], ["--users", " , "], ["--seed", "x"]]
)
def test_unusable_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("demo_cluster", *arguments)


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_not_the_clusters_is_one_clear_line() -> None:
    def rename(old: str, new: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE frameworks RENAME COLUMN "{old}" TO "{new}"')

    rename("jobPriority", "priority")
    try:
        with pytest.raises(CommandError, match="jobPriority"):
            call_command("demo_cluster", "--once", "--jobs", "1")
    finally:
        rename("priority", "jobPriority")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "cluster.log"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once(log: Path, number: int) -> None:
    with running(manage("demo_cluster", "--rate", "600"), log) as process:
        wait_for(lambda: sql("SELECT count(*) FROM frameworks")[0][0] >= 3, what="jobs are submitted")
        process.popen.send_signal(number)
        assert process.popen.wait(5) == 0
    assert "Traceback" not in process.log


@pytest.mark.django_db(transaction=True)
def test_it_goes_on_when_its_connection_was_cut(log: Path) -> None:
    with running(manage("demo_cluster", "--rate", "1200"), log) as process:
        wait_for(lambda: sql("SELECT count(*) FROM frameworks")[0][0] >= 3, what="jobs are submitted")
        sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        process.wait_for_log("database away")
        ((before,),) = sql("SELECT count(*) FROM frameworks")
        wait_for(lambda: sql("SELECT count(*) FROM frameworks")[0][0] > before + 5, what="it goes on")
        assert process.stop() == 0


@pytest.mark.django_db(transaction=True)
def test_it_ends_by_itself_after_the_given_number_of_jobs() -> None:
    command = manage("demo_cluster", "--once", "--jobs", "5", "--seed", "1")
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "5 jobs submitted\n", "")
    assert sql("SELECT count(*) FROM frameworks WHERE namespace = %s", NAMESPACE) == [(5,)]
