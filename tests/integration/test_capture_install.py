"""The trigger on the cluster's table is repeatable to install and to remove, and says what it lacks.

DDL is transactional, so these tests change the table itself and are rolled back.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from notifications.sources.frameworks import capture
from tests.cluster import captured, submit, update
from tests.database import sql

pytestmark = pytest.mark.django_db


class TestInstalling:
    def test_it_is_repeatable_and_then_says_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        sql("DROP TRIGGER notifcenter_capture ON frameworks")
        call_command("capture", "install")
        call_command("capture", "install")
        assert capsys.readouterr().out.splitlines() == ["added the trigger", "already in place"]
        call_command("capture", "check")
        assert capsys.readouterr().out == "The capture is in place.\n"
        assert sql("SELECT count(*) FROM pg_trigger WHERE tgname = 'notifcenter_capture'") == [(1,)]

    def test_nobody_can_put_it_on_a_table_of_their_own(self) -> None:
        """Whoever could would make up changes, with the rights of its owner."""
        capture.remove()
        capture.install()
        assert sql("SELECT has_function_privilege('public', 'notifcenter_capture()', 'EXECUTE')") == [
            (False,)
        ]

    def test_removing_is_repeatable_and_keeps_the_columns(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("capture", "remove")
        call_command("capture", "remove")
        assert capsys.readouterr().out.splitlines() == ["removed the trigger", "nothing to remove"]
        submit()
        assert captured() == []
        assert sql("SELECT 1 FROM pg_proc WHERE proname = 'notifcenter_capture'") == []
        with pytest.raises(CommandError, match=r"missing or disabled.\nRun `notifcenter capture install`"):
            call_command("capture", "check")

    def test_an_old_cluster_gets_the_columns_it_lacks_and_keeps_its_rows(self) -> None:
        capture.remove()
        submit("old")
        sql('ALTER TABLE frameworks DROP COLUMN "notifiedAtRetried", DROP COLUMN "notificationAtFailed"')
        with pytest.raises(CommandError, match="notificationAtFailed, notifiedAtRetried"):
            call_command("capture", "check")
        assert capture.install() == [
            "added the columns notificationAtFailed, notifiedAtRetried", "added the trigger",
        ]  # fmt: skip
        found = sql(
            "SELECT attname, atttypid::regtype::text, attnotnull, atthasdef FROM pg_attribute WHERE "
            "attrelid = 'frameworks'::regclass AND attname IN ('notifiedAtRetried', 'notificationAtFailed') "
            "ORDER BY 1"
        )
        assert found == [
            ("notificationAtFailed", "boolean", False, False),
            ("notifiedAtRetried", "integer", False, False),
        ]
        assert sql("SELECT count(*) FROM frameworks") == [(1,)]

    def test_all_ten_columns_are_added_to_a_cluster_older_than_v1_8(self) -> None:
        capture.remove()
        sql("ALTER TABLE frameworks " + ", ".join(f'DROP COLUMN "{name}"' for name in capture.COLUMNS))
        capture.install()
        assert capture.missing() == []
        assert len(capture.COLUMNS) == 10

    def test_the_trigger_is_one_that_the_clusters_upgrade_survives(self) -> None:
        """A column list or a WHEN would make the cluster's own ALTER TABLE fail."""
        (row,) = sql(
            "SELECT tgattr::text, tgqual, tgtype & 1, tgtype & 2, tgtype & 4, tgtype & 16, tgtype & 8 "
            "FROM pg_trigger WHERE tgname = 'notifcenter_capture'"
        )
        assert row == ("", None, 1, 0, 4, 16, 0)  # for each row, after, insert, update, not delete

    def test_the_function_runs_as_its_owner_with_a_pinned_search_path(self) -> None:
        (row,) = sql("SELECT prosecdef, proconfig FROM pg_proc WHERE proname = 'notifcenter_capture'")
        assert row[0] is True
        assert "search_path=pg_catalog, pg_temp" in row[1]

    def test_the_clusters_upgrade_alters_the_columns_it_reads(self) -> None:
        """In a session, too, that has planned the trigger's statements before."""
        name = submit()
        for state in ("RUNNING", "WAITING"):
            update(name, state=state)
        sql("ALTER TABLE frameworks ALTER COLUMN state TYPE varchar(40)")
        sql("ALTER TABLE frameworks ALTER COLUMN retries TYPE bigint")
        update(name, state="RUNNING")
        assert captured()[-1] == ("WAITING", "RUNNING", 0, 0)
        update(name, state="RUNNING")
        update(name, retries=1)
        again = submit("another")
        assert captured()[-2:] == [("RUNNING", "RUNNING", 0, 1), (None, "WAITING", None, 0)]
        update(again, submissionTime=datetime.now(UTC))
        assert captured()[-1] == (None, "WAITING", None, 0)
        assert len(captured()) == 7

    @pytest.mark.parametrize("how", ["DISABLE TRIGGER notifcenter_capture", "DISABLE TRIGGER ALL"])
    def test_a_disabled_trigger_is_reported_and_repaired(self, how: str) -> None:
        sql(f"ALTER TABLE frameworks {how}")
        with pytest.raises(CommandError, match="missing or disabled"):
            call_command("capture", "check")
        capture.install()
        submit()
        assert len(captured()) == 1

    def test_a_table_in_another_schema_of_the_search_path(self) -> None:
        sql('CREATE SCHEMA "Cluster One"')
        capture.remove()
        sql('ALTER TABLE frameworks SET SCHEMA "Cluster One"')
        sql('SET LOCAL search_path = public, "Cluster One"')
        capture.install()
        assert capture.missing() == []
        sql('SET LOCAL search_path = "Cluster One"')  # the cluster's writers do not see our tables
        submit()
        sql('SET LOCAL search_path = public, "Cluster One"')
        assert len(captured()) == 1
        assert capture.remove() == ["removed the trigger"]

    def test_without_the_table_it_says_what_to_do(self) -> None:
        sql("DROP TABLE frameworks")
        for action in ("install", "check"):
            with pytest.raises(CommandError, match=r"no table `frameworks`.*DATABASE_URL"):
                call_command("capture", action)
        call_command("capture", "remove", verbosity=0)

    def test_without_our_tables_it_says_what_to_do(self) -> None:
        sql("ALTER TABLE notifications_capturedchange RENAME TO away")
        for action in ("install", "check"):
            with pytest.raises(CommandError, match=r"Run `notifcenter migrate` first"):
                call_command("capture", action)

    def test_a_role_that_does_not_own_the_table_is_told_so(self) -> None:
        sql("CREATE ROLE somebody")
        sql("GRANT ALL ON SCHEMA public TO somebody")
        capture.remove()
        sql("SET ROLE somebody")
        with pytest.raises(CommandError, match="Use the role that owns `frameworks`"):
            call_command("capture", "install")
        sql("RESET ROLE")
        assert sql("SELECT 1 FROM pg_proc WHERE proname = 'notifcenter_capture'") == []

    def test_an_owner_of_the_table_who_may_not_write_ours_is_told_so(self) -> None:
        """The function runs with its owner's rights: without them nothing would ever be captured."""
        sql("CREATE ROLE cluster_owner")
        sql("GRANT ALL ON SCHEMA public TO cluster_owner")
        capture.remove()
        sql("ALTER TABLE frameworks OWNER TO cluster_owner")
        sql("SET ROLE cluster_owner")
        with pytest.raises(CommandError, match="role cluster_owner, which may not write"):
            call_command("capture", "install")
        sql("RESET ROLE")
        sql("GRANT INSERT, SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO cluster_owner")
        sql("SET ROLE cluster_owner")
        call_command("capture", "install", verbosity=0)
        submit()
        sql("RESET ROLE")
        assert len(captured()) == 1
        sql("REVOKE INSERT ON notifications_capturedchange FROM cluster_owner")
        with pytest.raises(CommandError, match="cluster_owner"):
            call_command("capture", "check")

    def test_nobody_else_can_put_the_function_on_a_table_of_their_own(self) -> None:
        sql("CREATE ROLE forger")
        sql("GRANT ALL ON SCHEMA public TO forger")
        sql("GRANT SELECT ON frameworks TO forger")
        sql("SET ROLE forger")
        sql("CREATE TABLE forged (LIKE frameworks)")
        with pytest.raises(Exception, match="permission denied for function"):
            sql("CREATE TRIGGER t AFTER INSERT ON forged FOR EACH ROW EXECUTE FUNCTION notifcenter_capture()")
