"""A storm of events becomes few mails: from the poller's batch to the mail server."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.utils import timezone

from notifications.delivery import bundles, pausing, queue, sender
from notifications.models import Delivery, DeliveryState, MailWindow, Notification
from notifications.poller import Poller
from notifications.tasks import deliver_due
from preferences.kinds import Channel
from preferences.models import JobConfig, UserPreference
from tests import smtp
from tests.cluster import framework_name, submit, update
from tests.deliveries import make_deliveries, make_delivery, reloaded
from tests.processes import poller, wait_for, worker
from tests.scrapes import scrape
from tests.smtp import SmtpServer

pytestmark = pytest.mark.django_db

BUNDLED, PENDING, SENT = DeliveryState.BUNDLED, DeliveryState.PENDING, DeliveryState.SENT
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _mail_is_configured(settings: Any) -> None:
    settings.EMAIL_CONFIGURED = True


def fail(*jobs: str, state: str = "FAILED") -> None:
    """The jobs of alice end so, and the poller takes it."""
    for job in jobs:
        submit(job, "alice", notificationAtFailed=True, notificationAtSucceeded=True)
        update(framework_name(job, "alice"), state=state)
    step = Poller()
    while step.run_once():
        pass


def planned() -> list[tuple[str, str, timedelta]]:
    """Job, state and time from its creation for each delivery, in order."""
    rows = Delivery.objects.order_by("id").values_list(
        "notification__job_name", "state", "due_at", "created_at"
    )
    return [(job, state, due - created) for job, state, due, created in rows]


def pass_time(by: timedelta) -> None:
    """As if it had all been so much earlier."""
    Delivery.objects.update(
        due_at=F("due_at") - by, planned_at=F("planned_at") - by, created_at=F("created_at") - by
    )
    MailWindow.objects.update(until=F("until") - by)


def bundle(user: User, count: int) -> list[Delivery]:
    """Deliveries whose window has just ended."""
    made = make_deliveries(user, count)
    Delivery.objects.filter(id__in=[one.id for one in made]).update(state=BUNDLED)
    return made


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


class TestWhenItGoesOut:
    def test_the_first_at_once_and_the_rest_when_the_minute_is_over(self, alice: User) -> None:
        fail("one", "two", "three")
        (first, *rest) = planned()
        assert first == ("one", PENDING, timedelta(0))
        assert [(job, state) for job, state, _ in rest] == [("two", BUNDLED), ("three", BUNDLED)]
        assert all(timedelta(seconds=55) < later <= MINUTE for *_, later in rest)

    def test_what_comes_later_waits_for_the_same_end(self, alice: User) -> None:
        fail("one")
        fail("two")
        fail("three")
        ends = set(Delivery.objects.filter(state=BUNDLED).values_list("due_at", flat=True))
        assert ends == {MailWindow.objects.get(user=alice).until}

    def test_a_storm_that_goes_on_gives_one_mail_a_window(self, alice: User) -> None:
        fail("one", "two")
        pass_time(timedelta(seconds=70))
        fail("three")
        end = MailWindow.objects.get(user=alice).until
        assert Delivery.objects.get(notification__job_name="three").due_at == end
        assert timedelta(seconds=40) < end - timezone.now() < timedelta(seconds=55)

    def test_after_a_quiet_minute_the_next_goes_out_at_once(self, alice: User) -> None:
        fail("one")
        pass_time(timedelta(seconds=61))
        fail("two")
        assert [state for _, state, _ in planned()] == [PENDING, PENDING]

    def test_what_was_told_before_opens_no_window(self, alice: User) -> None:
        fail("one")
        pass_time(2 * MINUTE)
        update(framework_name("one", "alice"), state="RUNNING")
        update(framework_name("one", "alice"), state="FAILED")
        fail()
        assert MailWindow.objects.get(user=alice).until < timezone.now()

    def test_everybody_has_a_window_of_their_own(self, alice: User, bob: User) -> None:
        for owner in ("alice", "bob"):
            submit("job", owner, notificationAtFailed=True)
            update(framework_name("job", owner), state="FAILED")
        fail()
        assert [state for _, state, _ in planned()] == [PENDING, PENDING]

    @pytest.mark.parametrize("minutes", [5, 15, 60])
    def test_the_length_is_the_users_choice(self, alice: User, minutes: int) -> None:
        UserPreference.objects.create(user=alice, bundling_minutes=minutes)
        fail("one", "two")
        _, (_, state, later) = planned()
        assert state == BUNDLED
        assert timedelta(0) <= minutes * MINUTE - later < timedelta(seconds=30)

    def test_no_bundling(self, alice: User) -> None:
        UserPreference.objects.create(user=alice, bundling_minutes=0)
        fail("one", "two")
        assert [state for _, state, _ in planned()] == [PENDING, PENDING]
        assert not MailWindow.objects.exists()

    def test_quiet_hours_hold_back_what_may_not_pass(self, alice: User) -> None:
        now = datetime.now(UTC)
        start, end = now - timedelta(hours=1), (now + timedelta(hours=1)).replace(microsecond=0)
        UserPreference.objects.create(
            user=alice, quiet_from=start.time(), quiet_until=end.time(), failures_pass_quiet=True
        )
        fail("good", state="SUCCEEDED")
        fail("bad", "worse")
        by_job = {
            job: (state, Delivery.objects.get(notification__job_name=job).due_at)
            for job, state, _ in planned()
        }
        assert by_job["good"] == (BUNDLED, end)
        assert by_job["bad"][0] == PENDING
        assert by_job["worse"] == (BUNDLED, MailWindow.objects.get(user=alice).until)

    def test_quiet_hours_are_those_of_the_users_time_zone(self, alice: User) -> None:
        UserPreference.objects.create(
            user=alice, time_zone="Asia/Tokyo", quiet_from=clock(0), quiet_until=clock(23, 59, 59)
        )
        fail("one")
        due = Delivery.objects.get().due_at
        assert (due.hour, due.minute) == (14, 59)

    def test_nobody_with_an_address_costs_nothing(self, django_assert_num_queries: Any) -> None:
        User.objects.create_user("alice")
        submit("one", "alice", notificationAtFailed=True)
        update(framework_name("one", "alice"), state="FAILED")
        with connection.execute_wrapper(_refuse_windows):
            while Poller().run_once():
                pass


def _refuse_windows(execute: Any, sql: str, *rest: Any) -> Any:
    assert "mail_timing" not in sql
    return execute(sql, *rest)


class TestWhatGoesOut:
    def test_many_as_one_mail(self, server: SmtpServer, alice: User) -> None:
        bundle(alice, 12)
        deliver_due()
        assert [str(mail["Subject"]) for mail in server.messages] == ["[cluster] 12 jobs failed"]
        assert states() == {SENT: 12}
        assert scrape().counts("deliveries_total")["email", "sent"] == 12

    def test_one_is_a_mail_like_any_other(self, server: SmtpServer, alice: User) -> None:
        bundle(alice, 1)
        deliver_due()
        assert "Failed: job-0" in str(server.messages[0]["Subject"])

    def test_what_is_not_due_stays(self, server: SmtpServer, alice: User) -> None:
        made = bundle(alice, 3)
        Delivery.objects.filter(id=made[2].id).update(due_at=timezone.now() + MINUTE)
        deliver_due()
        assert states() == {SENT: 2, BUNDLED: 1}

    def test_a_mail_for_each_user(self, server: SmtpServer, alice: User, bob: User) -> None:
        bundle(alice, 3)
        for number in range(2):
            Delivery.objects.filter(id=make_delivery(bob, framework_name=f"b{number}").id).update(
                state=BUNDLED
            )
        deliver_due()
        assert sorted(server.recipients) == ["alice@example.org", "bob@example.org"]

    def test_counts_by_event_and_cause_and_failures_first(self, server: SmtpServer, alice: User) -> None:
        causes = ["out of memory"] * 9 + ["image not found"] * 3
        for number in range(500 - len(causes)):
            make_delivery(alice, job_name=f"good-{number}", event="succeeded")
        for number, why in enumerate(causes):
            make_delivery(alice, job_name=f"bad-{number}", details={"why": why})
        Delivery.objects.update(state=BUNDLED)
        deliver_due()
        (mail,) = server.messages
        assert mail["Subject"] == "[cluster] 12 of 500 jobs failed: 9 out of memory, 3 image not found"
        text = text_of(mail)
        assert text.index("bad-0") < text.index("bad-11") < text.index("good-0")
        assert text.count("\n- ") == 50
        assert "and 450 more in your inbox." in text

    @pytest.mark.parametrize(("jobs", "subject"), [(2, "2 jobs failed"), (0, "2 failed")])
    def test_the_end_of_a_sweep_is_no_job_that_failed(
        self, server: SmtpServer, alice: User, jobs: int, subject: str
    ) -> None:
        for one in bundle(alice, jobs + 2)[jobs:]:
            Notification.objects.filter(pk=one.notification_id).update(
                framework_name=f"group:{one.pk}", job_name="sweep-*", details={"sweep": {"failed": 2}}
            )
        deliver_due()
        (mail,) = server.messages
        assert mail["Subject"] == f"[cluster] {subject}"
        assert text_of(mail).count("\n- sweep-*") == 2

    def test_hostile_names_stay_text(self, server: SmtpServer, alice: User) -> None:
        make_delivery(
            alice, job_name="<b>x</b>\nBcc: a@example.org", details={"why": "<i>\r\nSubject: y</i>"}
        )
        make_delivery(alice, job_name="other")
        Delivery.objects.update(state=BUNDLED)
        deliver_due()
        (mail,) = server.messages
        assert mail["Bcc"] is None
        html = mail.get_body(("html",))
        assert html is not None
        assert "<b>" not in html.get_content()
        assert "<i>" not in html.get_content()

    def test_refused_for_now_it_is_tried_again_as_the_same_mail(
        self, server: SmtpServer, alice: User
    ) -> None:
        made = bundle(alice, 3)
        server.programme.rcpt = smtp.always("451 later")
        deliver_due()
        assert states() == {DeliveryState.RETRY: 1, BUNDLED: 2}
        Delivery.objects.filter(id__in=[one.id for one in bundle_more(alice)]).update(
            due_at=timezone.now() + MINUTE
        )
        server.programme.rcpt = smtp.ACCEPT
        Delivery.objects.filter(id=made[0].id).update(due_at=timezone.now() - MINUTE)
        deliver_due()
        assert str(server.messages[0]["Subject"]) == "[cluster] 3 jobs failed"
        assert server.messages[0]["Message-ID"].startswith(f"<bundle-{made[0].id}-")

    def test_refused_for_good_it_fails_as_a_whole_and_can_be_sent_again(
        self, server: SmtpServer, alice: User
    ) -> None:
        made = bundle(alice, 3)
        server.programme.rcpt = smtp.always("550 nobody here")
        deliver_due()
        assert states() == {DeliveryState.FAILED: 3}
        assert scrape().counts("deliveries_total")["email", "failed"] == 3
        server.programme.rcpt = smtp.ACCEPT
        assert len(queue.try_again([one.id for one in made])) == 3
        deliver_due()
        assert [str(mail["Subject"]) for mail in server.messages] == ["[cluster] 3 jobs failed"]

    @pytest.mark.parametrize("muted", [0, 1])
    def test_muted_meanwhile(self, server: SmtpServer, alice: User, muted: int) -> None:
        """Also the one that stands for the bundle."""
        made = bundle(alice, 4)
        job = made[muted].notification
        JobConfig.objects.create(
            framework_name=job.framework_name, submission_time=job.submission_time, muted=True
        )
        deliver_due()
        deliver_due()  # those whose first was dropped have been put together anew
        assert [str(mail["Subject"]) for mail in server.messages] == ["[cluster] 3 jobs failed"]
        assert reloaded(made[muted]).state == DeliveryState.DROPPED
        assert states() == {SENT: 3, DeliveryState.DROPPED: 1}

    def test_a_pause_makes_one_mail_of_all_windows(self, server: SmtpServer, alice: User) -> None:
        pausing.pause(Channel.EMAIL, by="root")
        bundle(alice, 2)
        deliver_due()
        bundle_more(alice)
        deliver_due()
        pausing.resume(Channel.EMAIL, by="root")
        deliver_due()
        assert [str(mail["Subject"]) for mail in server.messages] == ["[cluster] 4 jobs failed"]

    def test_a_deleted_notification_does_not_take_the_others_along(
        self, server: SmtpServer, alice: User
    ) -> None:
        made = bundle(alice, 3)
        bundles.form(Channel.EMAIL)
        made[0].notification.delete()
        deliver_due()
        assert [str(mail["Subject"]) for mail in server.messages] == ["[cluster] 2 jobs failed"]

    def test_the_leased_bundle_of_a_dead_worker_goes_out_whole(self, server: SmtpServer, alice: User) -> None:
        bundle(alice, 3)
        bundles.form(Channel.EMAIL)
        (taken,) = queue.claim(Channel.EMAIL, limit=10)
        Delivery.objects.filter(id=taken.id).update(due_at=timezone.now() - MINUTE)
        deliver_due()
        assert not queue.mark_sent(taken)
        assert states() == {SENT: 3}
        assert len(server.messages) == 1


def bundle_more(user: User) -> list[Delivery]:
    made = [make_delivery(user, framework_name=f"more-{number}") for number in range(2)]
    Delivery.objects.filter(id__in=[one.id for one in made]).update(state=BUNDLED)
    return made


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_make_one_mail(server: SmtpServer, alice: User) -> None:
    bundle(alice, 300)

    def deliver(_: int) -> None:
        try:
            sender.deliver_for(seconds=10)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, range(4)))
    deliver_due()
    assert len(server.messages) == 1
    assert states() == {SENT: 300}


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
