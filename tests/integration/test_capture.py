"""The trigger on the cluster's table: it sees every change, and the cluster cannot notice it.

DDL is transactional, so most of these tests change the table itself and are rolled back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from notifications.models import CapturedChange
from notifications.sources.frameworks import capture, names
from notifications.sources.frameworks.demo.table import create_table
from tests.cluster import RESET, captured, columns, submit, update
from tests.database import second_session, sql

pytestmark = pytest.mark.django_db


class TestCapturing:
    def test_a_new_row_and_each_change_is_one_narrow_row(self) -> None:
        before = datetime.now(UTC)
        name = submit(user="alice")
        update(name, state="RUNNING")
        update(name, state="WAITING", retries=1)
        assert captured() == [
            (None, "WAITING", None, 0), ("WAITING", "RUNNING", 0, 0), ("RUNNING", "WAITING", 0, 1),
        ]  # fmt: skip
        one = CapturedChange.objects.latest("id")
        assert (one.framework_name, one.user_name) == (name, "alice")
        assert one.submission_time == columns(name, "submissionTime")[0]
        assert before < one.changed_at < datetime.now(UTC)

    def test_nothing_is_written_when_neither_state_nor_retries_changed(self) -> None:
        name = submit()
        for change in (RESET, {"snapshot": "{}"}, {"state": "WAITING", "retries": 0}, {"appExitCode": 1}):
            update(name, **change)
        assert len(captured()) == 1

    def test_null_counts_as_a_value(self) -> None:
        name = submit(state=None, retries=None)
        update(name, state=None, retries=None)
        update(name, state="RUNNING")
        update(name, retries=0)
        update(name, state=None)
        assert captured() == [
            (None, None, None, None), ("", "RUNNING", None, None), ("RUNNING", "RUNNING", None, 0),
            ("RUNNING", None, 0, 0),
        ]  # fmt: skip

    def test_a_new_submission_written_over_the_old_row_is_a_new_job(self) -> None:
        name = submit(state="RUNNING")
        update(name, submissionTime=datetime.now(UTC) + timedelta(seconds=1))
        assert captured()[-1] == (None, "RUNNING", None, 0)

    def test_each_row_of_a_bulk_update_is_captured(self) -> None:
        for number in range(50):
            submit(f"job-{number}")
        sql("UPDATE frameworks SET state = 'RUNNING'")
        assert len(captured()) == 100

    def test_what_is_rolled_back_was_never_captured(self) -> None:
        name = submit()
        sql("SAVEPOINT s")
        update(name, state="RUNNING")
        sql("ROLLBACK TO SAVEPOINT s")
        assert len(captured()) == 1

    def test_a_writer_needs_no_right_on_our_tables(self) -> None:
        sql("CREATE ROLE writer")
        sql("GRANT INSERT, SELECT, UPDATE ON frameworks TO writer")
        sql("SET ROLE writer")
        name = submit()
        update(name, state="RUNNING")
        with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
            cursor.execute("SAVEPOINT s; SELECT * FROM notifications_capturedchange")
        sql("ROLLBACK TO SAVEPOINT s")
        sql("RESET ROLE")
        assert len(captured()) == 2

    def test_a_writer_cannot_put_another_table_in_its_way(self) -> None:
        sql("CREATE TEMP TABLE notifications_capturedchange (LIKE public.notifications_capturedchange)")
        submit()
        assert sql("SELECT count(*) FROM public.notifications_capturedchange") == [(1,)]
        sql("DROP TABLE pg_temp.notifications_capturedchange")

    @pytest.mark.parametrize(
        "damage",
        [
            "DROP TABLE notifications_capturedchange",
            "ALTER TABLE notifications_capturedchange RENAME TO away",
            "ALTER TABLE notifications_capturedchange DROP COLUMN new_state",
            "ALTER TABLE notifications_capturedchange ALTER COLUMN new_state TYPE varchar(3) USING ''",
            "ALTER TABLE notifications_capturedchange ADD CHECK (false) NOT VALID",
        ],
    )
    def test_no_damage_to_our_table_reaches_the_writer(self, damage: str) -> None:
        name = submit()
        sql(damage)
        notices = connection.connection.notices
        notices.clear()
        update(name, state="RUNNING")
        assert columns(name, "state") == ("RUNNING",)
        assert [
            line for line in notices if line.startswith("WARNING:  notifcenter: a change was not captured")
        ]


@pytest.mark.django_db(transaction=True)
class TestLocks:
    def test_our_table_locked_for_long_costs_the_writer_a_second_and_a_warning(self) -> None:
        name = submit()
        with second_session() as other, other.cursor() as cursor:
            cursor.execute("LOCK TABLE notifications_capturedchange IN ACCESS EXCLUSIVE MODE")
            connection.connection.notices.clear()
            started = time.monotonic()
            update(name, state="RUNNING")
            assert 0.9 < time.monotonic() - started < 5
        assert columns(name, "state") == ("RUNNING",)
        assert "lock timeout" in connection.connection.notices[-1]
        update(name, state="SUCCEEDED")
        assert captured()[-1] == ("RUNNING", "SUCCEEDED", 0, 0)

    def test_a_statement_that_changes_many_jobs_waits_for_it_once(self) -> None:
        for number in range(3):
            submit(f"job-{number}")
        with second_session() as other, other.cursor() as cursor:
            cursor.execute("LOCK TABLE notifications_capturedchange IN ACCESS EXCLUSIVE MODE")
            connection.connection.notices.clear()
            sql("UPDATE frameworks SET state = 'RUNNING'")
            with transaction.atomic():
                for number in range(3, 6):
                    submit(f"job-{number}")
        assert len([line for line in connection.connection.notices if "lock timeout" in line]) == 2
        sql("UPDATE frameworks SET state = 'FAILED'")
        assert [change[1] for change in captured()] == ["WAITING"] * 3 + ["FAILED"] * 6

    def test_installing_on_a_locked_table_ends_with_a_clear_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(capture, "LOCK_TIMEOUT_SECONDS", 1)
        capture.remove()
        try:
            with second_session() as other, other.cursor() as cursor:
                cursor.execute("LOCK TABLE frameworks IN ACCESS SHARE MODE; SELECT 1")
                cursor.execute("LOCK TABLE frameworks IN ROW EXCLUSIVE MODE")
                with pytest.raises(CommandError, match="locked by a long transaction"):
                    call_command("capture", "install")
            assert sql("SHOW lock_timeout") == [("0",)]
        finally:
            capture.install()

    def test_what_is_in_place_is_confirmed_without_touching_the_tables_lock(self) -> None:
        with second_session() as other, other.cursor() as cursor:
            cursor.execute("LOCK TABLE frameworks IN ACCESS EXCLUSIVE MODE")
            assert capture.install() == []
            assert capture.missing() == []

    def test_a_table_that_appears_later_is_installed_on(self) -> None:
        sql("ALTER TABLE frameworks RENAME TO away")
        try:
            sql("CREATE TABLE IF NOT EXISTS unrelated ()")
            assert capture.missing() == [capture.NO_TABLE]
            create_table(connection)
            assert capture.install() == ["added the trigger"]
            submit()
            assert len(captured()) == 1
        finally:
            sql("DROP TABLE IF EXISTS unrelated, frameworks")
            sql("ALTER TABLE away RENAME TO frameworks")


@pytest.mark.django_db(transaction=True)
class TestWakingUp:
    """NOTIFY serialises the cluster's commits, so it goes only to a poller that sleeps."""

    @pytest.fixture
    def listener(self) -> Iterator[Any]:
        with second_session() as session:
            session.autocommit = True
            session.cursor().execute(f"LISTEN {names.CHANGES_CHANNEL}")
            yield session

    @staticmethod
    def heard(listener: Any) -> int:
        listener.cursor().execute("SELECT 1")  # whatever was sent before this answer has arrived with it
        listener.poll()
        count = len(listener.notifies)
        listener.notifies.clear()
        return count

    def test_nobody_is_notified_while_no_poller_sleeps(self, listener: Any) -> None:
        name = submit()
        for retries in range(1, 50):
            update(name, retries=retries)
        assert self.heard(listener) == 0
        assert len(captured()) == 50

    def test_a_sleeping_poller_is_notified_by_the_commit(self, listener: Any) -> None:
        sql("SELECT pg_advisory_lock(%s, %s)", names.LOCK_SPACE, names.SLEEP_LOCK)
        try:
            with second_session() as writer, writer.cursor() as cursor:
                cursor.execute(
                    'INSERT INTO frameworks (name, state, "submissionTime", "updatedAt") '
                    "VALUES ('n', 'WAITING', now(), now())"
                )
                assert self.heard(listener) == 0
                writer.commit()
            assert self.heard(listener) == 1
        finally:
            sql("SELECT pg_advisory_unlock(%s, %s)", names.LOCK_SPACE, names.SLEEP_LOCK)

    def test_a_writer_keeps_the_poller_awake_until_its_transaction_has_ended(self) -> None:
        def could_sleep() -> bool:
            got: bool = sql("SELECT pg_try_advisory_lock(%s, %s)", names.LOCK_SPACE, names.SLEEP_LOCK)[0][0]
            if got:
                sql("SELECT pg_advisory_unlock(%s, %s)", names.LOCK_SPACE, names.SLEEP_LOCK)
            return got

        name = submit()
        assert could_sleep()
        with second_session() as writer, writer.cursor() as cursor:
            cursor.execute("UPDATE frameworks SET state = 'WAITING' WHERE name = %s", [name])
            assert could_sleep(), "an update of nothing is nothing to wait for"
            cursor.execute("UPDATE frameworks SET state = 'RUNNING' WHERE name = %s", [name])
            assert not could_sleep()
            writer.commit()
            assert could_sleep()

    def test_installed_without_notify_it_never_notifies(self, listener: Any) -> None:
        call_command("capture", "install", "--without-notify", verbosity=0)
        sql("SELECT pg_advisory_lock(%s, %s)", names.LOCK_SPACE, names.SLEEP_LOCK)
        try:
            with second_session() as writer, writer.cursor() as cursor:
                cursor.execute(
                    'INSERT INTO frameworks (name, state, "submissionTime", "updatedAt") '
                    "VALUES ('n', 'WAITING', now(), now())"
                )
                writer.commit()
            assert self.heard(listener) == 0
            assert len(captured()) == 1
        finally:
            sql("SELECT pg_advisory_unlock(%s, %s)", names.LOCK_SPACE, names.SLEEP_LOCK)
            capture.install()
        assert "pg_notify" in sql("SELECT prosrc FROM pg_proc WHERE proname = 'notifcenter_capture'")[0][0]
