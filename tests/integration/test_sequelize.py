"""The cluster's own upgrade, by the real Sequelize in the two series that clusters use, beside a working poller."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from notifications.models import CapturedChange, FailedChange, Notification
from notifications.sources.frameworks import capture
from notifications.sources.frameworks.demo.table import create_table
from tests import node_packages, processes
from tests.database import second_session, sql
from tests.pollers import poller_with
from tests.processes import wait_for
from tests.wishes import everybody_wants_everything

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Path(__file__).parent / "sequelize" / "sync.js"
SYNC_SECONDS = 60
JOBS = 10_000
SUBMIT = """
INSERT INTO frameworks (name, "jobName", "userName", state, retries, snapshot, "submissionTime", "updatedAt")
SELECT 'job-' || n, 'alice~job-' || n, 'alice', %s, 0, repeat('{"status": null} ', 300), %s, now()
FROM generate_series(%s, %s) AS n
"""
RUN = """UPDATE frameworks SET state = 'RUNNING', "launchTime" = now(), "updatedAt" = now() WHERE name = %s"""
END = """
UPDATE frameworks SET state = 'FAILED', "appExitCode" = 1, "completionTime" = now(), "updatedAt" = now()
WHERE name = %s
"""


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    if reason := node_packages.why_not():
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def _the_clusters_own_table(transactional_db: None) -> Iterator[None]:
    sql("DROP TABLE frameworks")
    yield
    sql("DROP TABLE IF EXISTS framework_history, frameworks")
    create_table(connection)
    capture.install()


def sync(version: int, edition: str, **options: bool) -> str:
    """Bring the table to this edition; returns the statements. Fails the test when Sequelize fails."""
    params = connection.get_connection_params()
    database = {
        "database": params["dbname"],
        "username": params["user"],
        "password": params.get("password"),
        "host": params.get("host") or "127.0.0.1",
        "port": params.get("port") or 5432,
    }
    order = {"sequelize": version, "edition": edition, "options": options, "database": database}
    done = subprocess.run(
        ["node", str(SCRIPT), json.dumps(order)],
        env=processes.environment(NODE_PATH=str(node_packages.MODULES)),
        capture_output=True, text=True, timeout=SYNC_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def a_cluster_at_work(first: int) -> Iterator[list[str]]:
    """Meanwhile one waiting job after the other runs and fails, from this number on; yields those that have.

    Fails the test when one of the cluster's writes fails.
    """
    over, seen = threading.Event(), threading.Event()
    ended: list[str] = []

    def work() -> None:
        with second_session(autocommit=True) as session, session.cursor() as cursor:
            number = first
            while not over.wait(0.002):
                name = f"job-{number}"
                cursor.execute(RUN, [name])
                cursor.execute(END, [name])
                assert cursor.rowcount == 1
                ended.append(name)
                number += 1
                seen.set()

    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(work)
        assert seen.wait(processes.DEADLINE_SECONDS)
        try:
            yield ended
        finally:
            over.set()
            working.result()


def all_is_told(expected: dict[str, list[str]]) -> None:
    """These events, by job, in their order, and no others."""

    def told() -> dict[str, list[str]]:
        found = defaultdict(list)
        for name, event in Notification.objects.order_by("id").values_list("framework_name", "event"):
            found[name].append(event)
        return found

    wait_for(lambda: not CapturedChange.objects.exists() and len(told()) >= len(expected), what="all is told")
    assert told() == expected


@pytest.mark.parametrize("version", [5, 6])
def test_upgrades_beside_a_working_poller(version: int, tmp_path: Path) -> None:
    everybody_wants_everything()
    sync(version, "v1.8")
    capture.install()
    submitted = timezone.now()
    with poller_with(tmp_path, upkeep_seconds=0.2) as poller:
        sql(SUBMIT, "WAITING", submitted, 1, JOBS)
        wait_for(lambda: not CapturedChange.objects.exists(), what="the queue is empty")

        with a_cluster_at_work(1) as ended:
            statements = sync(version, "next", alter=True)
        assert 'ALTER COLUMN "state" TYPE VARCHAR(64)' in statements
        assert capture.missing() == []
        all_is_told({name: ["running", "failed"] for name in ended})

        with a_cluster_at_work(len(ended) + 1) as later:
            statements = sync(version, "v1.7", alter=True)
            wait_for(lambda: capture.missing() == [], what="the columns are back")
        assert 'DROP COLUMN "notifiedAtRetried"' in statements
        ended += later
        all_is_told({name: ["running", "failed"] for name in ended})

        sync(version, "v1.7", force=True)  # drops the table, and makes it anew
        sql(SUBMIT, "FAILED", submitted, 1, len(ended))  # the same jobs as before
        sql(SUBMIT, "FAILED", submitted, JOBS + 1, JOBS + 10)
        wait_for(lambda: capture.missing() == [], what="the capture is back")
        sql(SUBMIT, "FAILED", submitted, JOBS + 11, JOBS + 20)
        new = [f"job-{number}" for number in range(JOBS + 1, JOBS + 21)]
        all_is_told({**{name: ["running", "failed"] for name in ended}, **{name: ["failed"] for name in new}})

    assert "Traceback" not in poller.log
    assert "deadlock" not in poller.log
    assert not FailedChange.objects.exists()
