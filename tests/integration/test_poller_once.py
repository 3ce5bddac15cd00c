"""`poll_frameworks --once`: it does what is due and ends, or says why it cannot."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from notifications import poller
from notifications.models import CapturedChange
from notifications.sources.frameworks import capture, names
from tests import processes
from tests.cluster import submit, told, update
from tests.database import second_session, sql
from tests.pollers import look_after
from tests.processes import manage

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        manage("poll_frameworks", *arguments), env=processes.environment(**env),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


class TestOnce:
    def test_it_ends_when_all_is_done(self) -> None:
        for number in range(20):
            update(submit(f"job-{number}"), state="FAILED")
        done = run("--once")
        assert (done.returncode, len(told())) == (0, 20)
        assert not CapturedChange.objects.exists()
        assert run("--once").returncode == 0
        assert len(told()) == 20

    def test_it_says_in_one_line_what_is_missing(self) -> None:
        capture.remove()
        try:
            done = run("--once")
        finally:
            capture.install()
        assert done.returncode == 1
        assert done.stderr.splitlines() == [
            "CommandError: The trigger on `frameworks` is missing or disabled. Run `notifcenter capture install`."
        ]

    def test_it_puts_back_what_is_missing(self) -> None:
        look_after()
        sql("DROP TRIGGER notifcenter_capture ON frameworks")
        update(submit(), state="FAILED")
        assert run("--once").returncode == 0
        assert capture.is_capturing()
        assert told() == [("failed", 0)]

    def test_it_leaves_the_work_to_another_poller(self, tmp_path: Path) -> None:
        with processes.poller(tmp_path):
            for number in range(20):
                update(submit(f"job-{number}"), state="FAILED")
            done = run("--once")
            assert (done.returncode, len(told())) == (0, 20)
            assert "another poller is at work" in done.stderr

    def test_it_does_not_wait_for_ever_for_another_poller(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(poller, "ONCE_PATIENCE_SECONDS", 0.0)
        with second_session() as frozen, frozen.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [names.LOCK_SPACE, names.LEADER_LOCK])
            call_command("poll_frameworks", "--once")  # nothing waits
            submit()
            with pytest.raises(CommandError, match="changes still wait after 0 seconds"):
                call_command("poll_frameworks", "--once")
            capture.remove()
            try:
                with pytest.raises(CommandError, match="capture install"):
                    call_command("poll_frameworks", "--once")
            finally:
                capture.install()

    @pytest.mark.parametrize("address", ["postgresql://nobody:x@127.0.0.1:1/none", ""])
    def test_it_says_that_the_database_does_not_answer(self, address: str, tmp_path: Path) -> None:
        address = address or processes.database_url("no-such-database")
        done = run("--once", DATABASE_URL=address)
        assert done.returncode == 1
        assert done.stderr.startswith("CommandError: The database does not answer: ")
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("interval", ["0", "-1", "nan", "inf", "1e9", "soon", ""])
    def test_an_interval_that_cannot_be_used_is_refused(self, interval: str) -> None:
        with pytest.raises(CommandError, match="--interval"):
            call_command("poll_frameworks", "--once", f"--interval={interval}")
