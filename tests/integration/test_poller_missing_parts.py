"""A poller that lacks something says so once in one line, and works when it appears."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from notifications.sources.frameworks import capture
from tests import processes
from tests.cluster import submit, told, update
from tests.database import sql
from tests.pollers import poller_with
from tests.processes import poller, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def said(process: processes.Process, line: str, times: int) -> bool:
    return process.log.count(line) == times


class TestMissingParts:
    """One clear line for each state of things; then it works when the part appears."""

    def looks(self, count: int) -> None:
        """Wait until a poller has come by this often: each look is made in a session of its own."""
        seen: set[int] = set()

        def enough() -> bool:
            seen.update(pid for (pid,) in sql(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ))  # fmt: skip
            return len(seen) >= 2 * count

        wait_for(enough, what=f"{count} looks of the poller")

    def check(self, folder: Path, line: str) -> Iterator[None]:
        with poller(folder, "--interval", "0.1", ready=line) as process:
            self.looks(4)
            assert process.log.count(line) == 1
            assert len([one for one in process.log.splitlines() if "notifications.poller" in one]) == 1
            yield
            process.wait_for_log("polling")
            name = submit()
            update(name, state="FAILED")
            wait_for(lambda: told(name))
            assert "Traceback" not in process.log

    def test_frameworks(self, tmp_path: Path) -> None:
        sql("ALTER TABLE frameworks RENAME TO away")
        for _ in self.check(tmp_path, "There is no table `frameworks` in this database. Point DATABASE_URL"):
            sql("ALTER TABLE away RENAME TO frameworks")

    def test_the_capture(self, tmp_path: Path) -> None:
        capture.remove()
        for _ in self.check(tmp_path, "missing or disabled. Run `notifcenter capture install`."):
            capture.install()

    def test_our_tables(self, tmp_path: Path) -> None:
        sql("ALTER TABLE notifications_capturedchange RENAME TO away")
        for _ in self.check(tmp_path, "Our own tables are missing. Run `notifcenter migrate` first."):
            sql("ALTER TABLE away RENAME TO notifications_capturedchange")

    def test_a_right(self, tmp_path: Path) -> None:
        sql("CREATE ROLE poller_role LOGIN")
        sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO poller_role")
        sql("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO poller_role")
        sql("REVOKE UPDATE, SELECT ON frameworks FROM poller_role")
        address = processes.database_url().replace("postgresql://postgres:", "postgresql://poller_role:")
        try:
            line = "The role poller_role lacks rights on `frameworks`. Run deploy/postgres/grants.sql"
            with poller(tmp_path, "--interval", "0.1", ready=line, DATABASE_URL=address) as process:
                self.looks(4)
                assert process.log.count(line) == 1
                sql("GRANT UPDATE, SELECT ON frameworks TO poller_role")
                name = submit()
                update(name, state="FAILED")
                wait_for(lambda: told(name))
                assert "Traceback" not in process.log
        finally:
            sql("DROP OWNED BY poller_role; DROP ROLE poller_role")

    def test_what_goes_away_at_work_is_said_each_time(self, tmp_path: Path) -> None:
        with poller_with(tmp_path, upkeep_seconds=0.1) as process:
            for times in (1, 2):
                capture.remove()
                wait_for(partial(said, process, "capture install", times))
                update(submit(f"unseen-{times}"), state="FAILED")
                capture.install()
                wait_for(partial(said, process, "polling", times + 1))
            wait_for(lambda: len(told()) == 2, what="what was missed is told")
            sql("ALTER TABLE frameworks RENAME TO away")
            process.wait_for_log("There is no table `frameworks`")
            sql("ALTER TABLE away RENAME TO frameworks")
            wait_for(partial(said, process, "polling", 4))
            update(submit("after"), state="FAILED")
            wait_for(lambda: len(told()) == 3)
