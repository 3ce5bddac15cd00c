"""A storm of events becomes few mails: from the poller's batch to the mail server."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from notifications.models import Delivery, MailWindow
from preferences.models import UserPreference
from preferences.timing import DAILY_MINUTES
from tests.bundles import BUNDLED, MINUTE, PENDING, SENT, pass_time, states
from tests.cluster import framework_name, submit, update
from tests.pollers import end_jobs
from tests.processes import poller, wait_for, worker
from tests.smtp import SmtpServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mail_is_configured(settings: Any) -> None:
    settings.EMAIL_CONFIGURED = True


def planned() -> list[tuple[str, str, timedelta]]:
    """Job, state and time from its creation for each delivery, in order."""
    rows = Delivery.objects.order_by("id").values_list(
        "notification__job_name", "state", "due_at", "created_at"
    )
    return [(job, state, due - created) for job, state, due, created in rows]


class TestWhenItGoesOut:
    def test_the_first_at_once_and_the_rest_when_the_minute_is_over(self, alice: User) -> None:
        end_jobs("one", "two", "three")
        (first, *rest) = planned()
        assert first == ("one", PENDING, timedelta(0))
        assert [(job, state) for job, state, _ in rest] == [("two", BUNDLED), ("three", BUNDLED)]
        assert all(timedelta(seconds=55) < later <= MINUTE for *_, later in rest)

    def test_what_comes_later_waits_for_the_same_end(self, alice: User) -> None:
        end_jobs("one")
        end_jobs("two")
        end_jobs("three")
        ends = set(Delivery.objects.filter(state=BUNDLED).values_list("due_at", flat=True))
        assert ends == {MailWindow.objects.get(user=alice).until}

    def test_a_storm_that_goes_on_gives_one_mail_a_window(self, alice: User) -> None:
        end_jobs("one", "two")
        pass_time(timedelta(seconds=70))
        end_jobs("three")
        end = MailWindow.objects.get(user=alice).until
        assert Delivery.objects.get(notification__job_name="three").due_at == end
        assert timedelta(seconds=40) < end - timezone.now() < timedelta(seconds=55)

    def test_after_a_quiet_minute_the_next_goes_out_at_once(self, alice: User) -> None:
        end_jobs("one")
        pass_time(timedelta(seconds=61))
        end_jobs("two")
        assert [state for _, state, _ in planned()] == [PENDING, PENDING]

    def test_what_was_told_before_opens_no_window(self, alice: User) -> None:
        end_jobs("one")
        pass_time(2 * MINUTE)
        update(framework_name("one", "alice"), state="RUNNING")
        update(framework_name("one", "alice"), state="FAILED")
        end_jobs()
        assert MailWindow.objects.get(user=alice).until < timezone.now()

    def test_everybody_has_a_window_of_their_own(self, alice: User, bob: User) -> None:
        for owner in ("alice", "bob"):
            submit("job", owner, notificationAtFailed=True)
            update(framework_name("job", owner), state="FAILED")
        end_jobs()
        assert [state for _, state, _ in planned()] == [PENDING, PENDING]

    @pytest.mark.parametrize("minutes", [5, 15, 60])
    def test_the_length_is_the_users_choice(self, alice: User, minutes: int) -> None:
        UserPreference.objects.create(user=alice, bundling_minutes=minutes)
        end_jobs("one", "two")
        _, (_, state, later) = planned()
        assert state == BUNDLED
        assert timedelta(0) <= minutes * MINUTE - later < timedelta(seconds=30)

    def test_one_a_day_at_the_users_hour(self, alice: User) -> None:
        UserPreference.objects.create(
            user=alice, bundling_minutes=DAILY_MINUTES, daily_hour=6, time_zone="Asia/Shanghai"
        )
        end_jobs("one", "two")
        assert states() == {BUNDLED: 2}
        (due,) = set(Delivery.objects.values_list("due_at", flat=True))
        assert (due.hour, due.minute) == (22, 0)
        assert timedelta(0) < due - timezone.now() <= timedelta(days=1)

    def test_no_bundling(self, alice: User) -> None:
        UserPreference.objects.create(user=alice, bundling_minutes=0)
        end_jobs("one", "two")
        assert [state for _, state, _ in planned()] == [PENDING, PENDING]
        assert not MailWindow.objects.exists()

    def test_quiet_hours_hold_back_what_may_not_pass(self, alice: User) -> None:
        now = datetime.now(UTC)
        start, end = now - timedelta(hours=1), (now + timedelta(hours=1)).replace(microsecond=0)
        UserPreference.objects.create(
            user=alice, quiet_from=start.time(), quiet_until=end.time(), failures_pass_quiet=True
        )
        end_jobs("good", state="SUCCEEDED")
        end_jobs("bad", "worse")
        by_job = {
            job: (state, Delivery.objects.get(notification__job_name=job).due_at)
            for job, state, _ in planned()
        }
        assert by_job["good"] == (BUNDLED, end)
        assert by_job["bad"][0] == PENDING
        assert by_job["worse"] == (BUNDLED, MailWindow.objects.get(user=alice).until)

    def test_what_may_pass_quiet_hours_is_the_first_of_its_batch_behind_what_may_not(
        self, alice: User
    ) -> None:
        UserPreference.objects.create(
            user=alice, quiet_from=clock(0), quiet_until=clock(23, 59, 59, 999_999), failures_pass_quiet=True
        )
        submit("good", "alice", notificationAtSucceeded=True)
        update(framework_name("good", "alice"), state="SUCCEEDED")
        end_jobs("bad", "worse")
        assert [(job, state) for job, state, _ in planned()] == [
            ("good", BUNDLED), ("bad", PENDING), ("worse", BUNDLED)
        ]  # fmt: skip

    def test_quiet_hours_are_those_of_the_users_time_zone(self, alice: User) -> None:
        UserPreference.objects.create(
            user=alice, time_zone="Asia/Tokyo", quiet_from=clock(0), quiet_until=clock(23, 59, 59, 999_999)
        )
        end_jobs("one")
        due = Delivery.objects.get().due_at
        assert (due.hour, due.minute) == (14, 59)


@pytest.mark.django_db(transaction=True)
def test_500_failures_within_seconds_are_two_mails_though_a_worker_is_killed(
    tmp_path: Path, alice: User, ledger: Callable[[str], None]
) -> None:
    count = 500
    for number in range(count):
        submit(f"job-{number}", "alice", notificationAtFailed=True)
    with SmtpServer() as server, ExitStack() as stack:
        env = {
            "EMAIL_URL": server.url,
            "NOTIFCENTER_DATA_DIR": str(tmp_path),
            "NOTIFCENTER_LEASE_SECONDS": "2",
            "NOTIFCENTER_SWEEP_SECONDS": "1",
        }
        stack.enter_context(poller(tmp_path, **env))
        first = stack.enter_context(worker(tmp_path, **env))
        started = time.monotonic()
        for number in range(count):
            update(framework_name(f"job-{number}", "alice"), state="FAILED")
        wait_for(lambda: Delivery.objects.count() == count, what="all are told")
        took = time.monotonic() - started
        wait_for(lambda: server.messages, what="the first mail")
        wait_for(lambda: states()[SENT], what="it is noted")
        server.programme.slowness_seconds = 30
        pass_time(2 * MINUTE)
        wait_for(lambda: len(server.messages) > 1, what="the second mail")
        first.kill()
        server.programme.slowness_seconds = 0
        stack.enter_context(worker(tmp_path, **env))
        wait_for(lambda: states() == {SENT: count}, what="all are noted as sent")
    mails = server.counts()
    ledger(
        f"{count} failures of one user in {took:.1f} s: {len(mails)} mails, {mails.total() - len(mails)} double"
    )
    assert len(mails) <= 3
    assert mails.total() == len(mails) + 1  # the one that the killed worker had
    subjects = [str(message["Subject"]) for message in server.messages]
    assert subjects[1:] == [f"[cluster] {count - 1} jobs failed"] * 2
