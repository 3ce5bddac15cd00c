"""From the first schema to today's, with rows in it and the old program writing on all the while."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.database import another_database
from tests.processes import ROOT, database_url, environment, manage, wait_for

FIRST_SCHEMA = """
import django
django.setup()
from django.core.management import call_command
for app in ("accounts", "notifications", "preferences"):
    call_command("migrate", app, "0001", verbosity=0)
"""

NOTIFY = """
WITH told AS (
    INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
        virtual_cluster, details, occurred_at, in_inbox)
    VALUES (%s, 'failed', 0, %s, now(), 'job', 'default', '{}', now(), true) RETURNING id)
INSERT INTO notifications_delivery (notification_id, channel, state, attempts, last_error)
SELECT id, 'email', 'pending', 0, '' FROM told
"""
"""As the program of the first schema stores an event: it names no column that came later."""


@pytest.fixture
def env() -> Iterator[dict[str, str]]:
    with another_database("notifcenter_upgrade") as name:
        yield environment(DATABASE_URL=database_url(name), DJANGO_SETTINGS_MODULE="notifcenter.settings")


def run(command: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.django_db
def test_the_old_program_goes_on_meanwhile_and_nothing_is_lost(env: dict[str, str]) -> None:
    run([sys.executable, "-c", FIRST_SCHEMA], env)
    over, stored, failures = threading.Event(), [0], []
    with closing(psycopg2.connect(env["DATABASE_URL"])) as session, session.cursor() as cursor:
        session.autocommit = True
        cursor.execute(
            "INSERT INTO auth_user (username, password, email, first_name, last_name, is_active, is_staff, "
            "is_superuser, date_joined) VALUES ('alice', '!', '', '', '', true, false, false, now()) RETURNING id"
        )
        ((alice,),) = cursor.fetchall()

        def work() -> None:
            try:
                while not over.wait(0.002):
                    cursor.execute(NOTIFY, [alice, f"job-{stored[0]}"])
                    stored[0] += 1
            except psycopg2.Error as error:
                failures.append(error)

        writer = threading.Thread(target=work)
        writer.start()
        try:
            wait_for(lambda: stored[0] > 100 or failures)
            before = stored[0]
            run(manage("migrate"), env)
        finally:
            over.set()
            writer.join()
        assert not failures
        assert stored[0] > before
        cursor.execute(
            "SELECT count(*) FROM notifications_notification WHERE NOT saved AND returned_at IS NULL"
        )
        assert cursor.fetchall() == [(stored[0],)]
        cursor.execute("SELECT count(*) FROM notifications_delivery")
        assert cursor.fetchall() == [(stored[0],)]
        cursor.execute("SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE NOT indisvalid")
        assert cursor.fetchall() == []
