"""What others take away of an installed capture, the poller puts back; what the admin takes away stays away."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifications.sources.frameworks import capture
from notifications.sources.frameworks.source import FrameworkSource
from tests import processes
from tests.cluster import ALL_EVENTS, captured, columns, ended, started, submit, told, update
from tests.database import second_session, sql
from tests.pollers import drain, look_after, poller_with
from tests.processes import wait_for

DROP_TRIGGER = "DROP TRIGGER notifcenter_capture ON frameworks"
DROP_COLUMNS = "ALTER TABLE frameworks " + ", ".join(f'DROP COLUMN "{name}"' for name in capture.COLUMNS)

INSERT = """INSERT INTO frameworks (name, "submissionTime", "updatedAt") VALUES ('job', now(), now())"""


@pytest.mark.django_db
class TestPuttingBack:
    def test_the_trigger_and_what_it_missed(self) -> None:
        name = submit(**ALL_EVENTS)
        update(name, **started())
        look_after()
        drain()
        sql(DROP_TRIGGER)
        update(name, **ended())
        look_after()
        update(submit("later"), **ended())
        drain()
        assert told(name) == [("running", 0), ("failed", 0)]
        assert told() == [*told(name), ("failed", 0)]

    def test_the_columns(self) -> None:
        sql(DROP_COLUMNS)
        assert FrameworkSource().put_back() == ""
        assert capture.missing() == []
        name = submit()
        update(name, **ended())
        drain()
        assert columns(name, "notifiedAtFailed") == (True,)

    def test_it_needs_nothing_to_be_gone(self) -> None:
        assert capture.put_back() == []

    def test_the_way_in_which_it_was_installed_is_kept(self) -> None:
        capture.install(with_notify=False)
        before = sql("SELECT prosrc FROM pg_proc WHERE proname = 'notifcenter_capture'")
        sql(DROP_TRIGGER)
        assert capture.put_back() == ["added the trigger"]
        assert sql("SELECT prosrc FROM pg_proc WHERE proname = 'notifcenter_capture'") == before
        assert "pg_try_advisory_xact_lock_shared" not in before[0][0]

    def test_what_the_admin_removed_stays_away(self) -> None:
        capture.remove()
        sql(DROP_COLUMNS)
        assert capture.put_back() == []
        assert "Run `notifcenter capture install`." in capture.missing()

    def test_what_was_never_installed_is_not_installed(self) -> None:
        capture.remove()
        sql("DELETE FROM notifications_pollerstate")
        look_after()
        assert not capture.is_capturing()

    def test_a_trigger_that_was_disabled_stays_so(self) -> None:
        sql("ALTER TABLE frameworks DISABLE TRIGGER notifcenter_capture")
        assert capture.put_back() == []
        assert not capture.is_capturing()

    def test_without_our_tables_or_the_clusters_there_is_nothing_to_do(self) -> None:
        sql("ALTER TABLE notifications_capturedchange RENAME TO away")
        assert capture.put_back() == []
        sql("ALTER TABLE away RENAME TO notifications_capturedchange; DROP TABLE frameworks")
        assert capture.put_back() == []

    def test_a_role_without_the_right_says_so(self) -> None:
        sql("CREATE ROLE poller_role")
        sql(DROP_TRIGGER)
        sql("SET ROLE poller_role")
        try:
            assert "permission denied for table frameworks" in FrameworkSource().put_back()
        finally:
            sql("RESET ROLE")

    def test_a_role_that_may_only_add_a_trigger_adds_that(self) -> None:
        sql("CREATE ROLE poller_role")
        sql("GRANT TRIGGER ON frameworks TO poller_role")
        sql("GRANT ALL ON notifications_pollerstate TO poller_role")
        sql("GRANT EXECUTE ON FUNCTION notifcenter_capture TO poller_role")
        sql(DROP_TRIGGER)
        sql(DROP_COLUMNS)
        sql("SET ROLE poller_role")
        try:
            assert "must be owner of table frameworks" in FrameworkSource().put_back()
        finally:
            sql("RESET ROLE")
        sql(INSERT)
        assert len(captured()) == 1


@pytest.mark.django_db(transaction=True)
class TestAtWork:
    def test_the_poller_puts_it_back_and_tells_what_happened_meanwhile(self, tmp_path: Path) -> None:
        with poller_with(tmp_path, upkeep_seconds=0.1) as process:
            name = submit(**ALL_EVENTS)
            update(name, **started())
            wait_for(lambda: told(name))
            with second_session() as session, session.cursor() as cursor:
                cursor.execute(DROP_TRIGGER)
                cursor.execute("UPDATE frameworks SET state = 'FAILED', \"updatedAt\" = now()")
                session.commit()
            process.wait_for_log("put back done='added the trigger'")
            wait_for(lambda: len(told(name)) == 2)
            sql(DROP_COLUMNS)
            process.wait_for_log("put back done='added the columns")
            update(submit("later"), **ended())
            wait_for(lambda: len(told()) == 3)
            assert "Traceback" not in process.log

    def test_a_table_in_use_is_not_waited_for_but_tried_again(self, tmp_path: Path) -> None:
        sql(DROP_COLUMNS)
        with second_session() as backup, backup.cursor() as cursor:
            cursor.execute("SELECT FROM frameworks")  # for hours
            refused = "canceling statement due to lock timeout"
            with processes.poller(tmp_path, "--interval", "0.1", ready=refused) as process:
                with second_session(autocommit=True) as cluster, cluster.cursor() as writer:
                    writer.execute("SET statement_timeout = '20s'")
                    writer.execute(INSERT)
                backup.rollback()
                process.wait_for_log("polling")
        assert capture.missing() == []
