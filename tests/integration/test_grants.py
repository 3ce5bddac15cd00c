"""deploy/postgres/grants.sql is enough for all of the product, and no more than it needs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg2
import psycopg2.errors
import pytest
from django.db import connection

from notifications.sources.frameworks.demo import table
from notifications.sources.frameworks.models import Framework
from preferences.kinds import NOTIFICATION_COLUMNS
from tests import tokens
from tests.cluster import framework_name
from tests.processes import ROOT, daphne, database_url, environment, manage, poller, wait_for

pytestmark = pytest.mark.django_db  # for the server; the tests have a database of their own in it

GRANTS = (ROOT / "deploy" / "postgres" / "grants.sql").read_text(encoding="utf-8")
ROLE, OWNER, DATABASE = "notifcenter_least", "notifcenter_cluster", "notifcenter_grants"
PASSWORD = "a-password"
JOB = framework_name("resnet50")
SUBMIT = """
INSERT INTO frameworks (name, "jobName", "userName", state, retries, "tokenSecretDef", "submissionTime", "updatedAt")
VALUES (%s, 'alice~resnet50', 'alice', 'WAITING', 0, 'secret', now(), now())
"""
RUN = """state = 'RUNNING', "launchTime" = now()"""
END = """state = 'FAILED', "appExitCode" = 1, "completionTime" = now()"""


def superuser(database: str) -> Any:
    return closing(_session({**connection.get_connection_params(), "dbname": database}))


def as_role(role: str) -> Any:
    login = {"dbname": DATABASE, "user": role, "password": PASSWORD}
    return closing(_session({**connection.get_connection_params(), **login}))


def _session(params: dict[str, Any]) -> Any:
    session = psycopg2.connect(**params)
    session.autocommit = True
    return session


def run(session: Any, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with session.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def cluster(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """As the cluster does it: as the role that owns the table, and has no right on ours."""
    with as_role(OWNER) as session:
        return run(session, statement, *parameters)


@pytest.fixture(scope="module")
def env(django_db_setup: None) -> Iterator[dict[str, str]]:
    """The environment of processes with the role's rights, in a cluster's database that has our tables."""
    with superuser("postgres") as session:
        _drop(session)
        for role in (OWNER, ROLE):
            run(session, f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        run(session, f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    with as_role(OWNER) as session:
        run(session, table.SQL.read_text(encoding="utf-8"))
    with superuser(DATABASE) as session:
        for _ in range(2):  # repeatable
            run(session, re.sub(r"\bnotifcenter\b", ROLE, GRANTS))
    env = environment(DATABASE_URL=database_url(DATABASE, (ROLE, PASSWORD)), PAI_JWT_SECRET=tokens.SECRET)
    for command in (["migrate"], ["capture", "install"]):
        subprocess.run(manage(*command, "--verbosity", "0"), env=env, check=True, timeout=120)
    yield env
    with superuser("postgres") as session:
        _drop(session)


def _drop(session: Any) -> None:
    run(session, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", DATABASE)
    run(session, f"DROP DATABASE IF EXISTS {DATABASE}")
    for role in (ROLE, OWNER):
        run(session, f"DROP ROLE IF EXISTS {role}")


def test_all_of_the_product_works_with_these_rights(env: dict[str, str], tmp_path: Path) -> None:
    subprocess.run(manage("capture", "check"), env=env, check=True, timeout=60, capture_output=True)
    cluster("DROP TRIGGER notifcenter_capture ON frameworks")
    with poller(tmp_path, "--interval", "0.1", **env) as polling, daphne(tmp_path, 0, **env) as (url, web):

        def ask(path: str, method: str = "GET", body: Any = None) -> Any:
            headers = {"Authorization": f"Bearer {tokens.token()}", "Content-Type": "application/json"}
            data = None if body is None else json.dumps(body).encode()
            with urlopen(Request(url + path, data, headers, method=method), timeout=60) as answer:
                text = answer.read().decode()
                return json.loads(text) if "json" in answer.headers["Content-Type"] else text

        polling.wait_for_log("capture put back done='added the trigger'")
        cluster(SUBMIT, JOB)
        assert [one["framework"] for one in ask("/api/v1/jobs/")["results"]] == [JOB]
        ask(
            f"/api/v1/jobs/{JOB}/notification-config/", "PATCH", {"events": {"running": True, "failed": True}}
        )
        for change in (RUN, END):
            cluster(f'UPDATE frameworks SET {change}, "updatedAt" = now()')
        page = wait_for(lambda: told(ask("/api/v1/notifications/"), 2))
        assert [one["event"] for one in page] == ["failed", "running"]
        marks = 'SELECT 1 FROM frameworks WHERE "notifiedAtFailed" AND "notificationAtRunning"'
        wait_for(lambda: cluster(marks))
        assert "notifcenter_jobs" in ask("/metrics")
        ask("/healthz")  # raises unless it answers 200
        for process in (polling, web):
            assert "permission denied" not in process.log
            assert "Traceback" not in process.log


def told(page: dict[str, Any], count: int) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = page["results"]
    return results if len(results) == count else []


@pytest.mark.usefixtures("env")
def test_what_is_granted_is_what_is_used() -> None:
    granted = {
        right: set(re.findall(r'"?(\w+)"?', columns))
        for right, columns in re.findall(r"GRANT (\w+) \(([^)]*)\)", GRANTS)
    }
    assert granted["SELECT"] == {field.column for field in Framework._meta.fields}
    wishes = set(NOTIFICATION_COLUMNS.values())
    assert granted["UPDATE"] == wishes | {name.replace("notificationAt", "notifiedAt") for name in wishes}


@pytest.mark.usefixtures("env")
@pytest.mark.parametrize("statement", [
    'SELECT "tokenSecretDef" FROM frameworks',
    "SELECT * FROM frameworks",
    "UPDATE frameworks SET state = 'FAILED'",
    "DELETE FROM frameworks",
    "TRUNCATE frameworks",
    "ALTER TABLE frameworks ADD COLUMN x int",
])  # fmt: skip
def test_it_may_do_nothing_else_to_the_cluster(statement: str) -> None:
    with as_role(ROLE) as session, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        run(session, statement)


@pytest.mark.usefixtures("env")
def test_the_cluster_has_no_right_on_our_tables() -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cluster(f"SELECT * FROM {ROLE}.notifications_notification")


@pytest.mark.parametrize("damage", [
    "DROP TRIGGER notifcenter_capture ON frameworks",
    'ALTER TABLE frameworks DROP COLUMN "notifiedAtFailed"',
    'ALTER TABLE frameworks DROP COLUMN "notifiedAtFailed"; ALTER TABLE frameworks ADD "notifiedAtFailed" boolean',
    f"DROP TABLE frameworks; {table.SQL.read_text(encoding='utf-8')}",
])  # fmt: skip
def test_what_an_upgrade_takes_away_comes_back_with_the_rights(env: dict[str, str], damage: str) -> None:
    cluster(damage)
    cluster(SUBMIT, framework_name("meanwhile"))
    done = subprocess.run(
        manage("poll_frameworks", "--once"), env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    subprocess.run(manage("capture", "check"), env=env, check=True, timeout=60, capture_output=True)
    cluster("DELETE FROM frameworks")


def test_without_the_right_to_add_a_trigger_a_superuser_installs_it(
    env: dict[str, str], tmp_path: Path
) -> None:
    with superuser(DATABASE) as session:
        run(session, f"REVOKE TRIGGER ON frameworks FROM {ROLE}")
    options = f"?options=-csearch_path%3D{ROLE}%2Cpublic"

    def install(address: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            manage("capture", "install"), env={**env, "DATABASE_URL": address},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    cluster("DROP TRIGGER notifcenter_capture ON frameworks")
    assert "permission denied for table frameworks" in install(env["DATABASE_URL"]).stderr
    assert install(database_url(DATABASE) + options).stdout == "added the trigger\n"
    with as_role(ROLE) as session:
        run(session, "DELETE FROM notifications_capturedchange")
        cluster(SUBMIT, framework_name("another"))
        assert run(session, "SELECT count(*) FROM notifications_capturedchange") == [(1,)]
