"""What the one mail of many deliveries says, and what becomes of them when it cannot go out."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from notifications import unsubscribe
from notifications.delivery import bundles, pausing, queue, sender
from notifications.models import Delivery, DeliveryState, Notification
from notifications.tasks import deliver_due
from notifications.unsubscribe import Scope, Subscription
from preferences.kinds import Channel
from preferences.models import ChannelPreference, JobConfig
from tests import smtp
from tests.bundles import BUNDLED, MINUTE, SENT, bundle, states
from tests.deliveries import make_delivery, make_group, reloaded
from tests.scrapes import scrape
from tests.smtp import SmtpServer

pytestmark = pytest.mark.django_db


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


class TestWhatGoesOut:
    def test_many_as_one_mail(self, server: SmtpServer, alice: User) -> None:
        bundle(alice, 12)
        deliver_due()
        assert [str(mail["Subject"]) for mail in server.messages] == ["[cluster] 12 jobs failed"]
        assert states() == {SENT: 12}
        assert scrape().counts("deliveries_total")["email", "sent"] == 12

    def test_its_headers(self, server: SmtpServer, alice: User, settings: Settings) -> None:
        settings.BASE_URL = "https://notify.example.org"
        make_delivery(alice, event="succeeded")
        make_delivery(alice, event="failed")
        Delivery.objects.update(state=BUNDLED)
        deliver_due()
        (mail,) = server.messages
        assert mail["X-Notifcenter-Event"] == "failed"
        assert mail["X-Notifcenter-Cluster"] == "cluster"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["X-Auto-Response-Suppress"] == "All"
        assert mail["List-Id"] == "Job notifications <notifcenter.notify.example.org>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        token = mail["List-Unsubscribe"].removesuffix("/>").rpartition("/")[2]
        assert unsubscribe.read(token) == Subscription(alice.pk, Scope.ALL)
        assert mail["References"] is None

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

    def test_a_sweep_is_one_line_with_a_link_to_its_page(self, server: SmtpServer, alice: User) -> None:
        sweep, one_of_two = (make_group(alice, stem=stem, failed=2) for stem in ("sweep-*", "pair-*"))
        make_delivery(alice, job_name="alone", event="failed")
        for number in range(60):
            event = "failed" if number % 5 == 0 else "succeeded"
            make_delivery(alice, job_name=f"sweep-{number}", event=event, group=sweep)
        make_delivery(alice, job_name="pair-1", event="succeeded", group=one_of_two)
        make_delivery(alice, job_name="sweep-3", event="alert", details={"summary": "It idles"}, group=sweep)
        make_delivery(
            alice, job_name="sweep-*", event="failed", framework_name=f"group:{sweep.pk}", group=sweep
        )
        Delivery.objects.update(state=BUNDLED)
        deliver_due()
        (mail,) = server.messages
        lines = re.findall(r"^- (.*)\n  .*\n  (.*)$", text_of(mail), re.MULTILINE)
        assert [line for line, _ in lines] == [
            "alone", "sweep-*: 12 failed, 48 succeeded", "sweep-*", "It idles", "pair-1",
        ]  # fmt: skip
        assert lines[1][1].endswith(f"/groups/{sweep.pk}/")
        assert " more in your inbox" not in text_of(mail)

    def test_what_may_go_on_can_be_muted_from_its_line(self, server: SmtpServer, alice: User) -> None:
        sweep = make_group(alice, stem="sweep-*", failed=1, running=1)
        for number in range(2):
            make_delivery(alice, job_name=f"sweep-{number}", group=sweep)
        waiting = make_delivery(alice, job_name="waits", event="waiting_too_long")
        make_delivery(alice, job_name="over")
        Delivery.objects.update(state=BUNDLED)
        deliver_due()
        (mail,) = server.messages
        links = re.findall(r"^  Mute this (sweep|job): .*/unsubscribe/(.*)/$", text_of(mail), re.MULTILINE)
        assert [(what, unsubscribe.read(token)) for what, token in links] == [
            ("sweep", Subscription(alice.pk, Scope.GROUP, group=sweep.pk)),
            ("job", Subscription.of(waiting.notification, Scope.JOB)),
        ]
        html = mail.get_body(("html",))
        assert html is not None
        assert all(token in html.get_content() for _, token in links)

    def test_many_sweeps_take_no_more_than_the_lines_there_are(self, server: SmtpServer, alice: User) -> None:
        for number in range(55):
            sweep = make_group(alice, stem=f"sweep{number}-*", succeeded=2)
            for job in range(2):
                make_delivery(alice, job_name=f"sweep{number}-{job}", event="succeeded", group=sweep)
        make_delivery(alice, job_name="bad")
        Delivery.objects.update(state=BUNDLED)
        deliver_due()
        (mail,) = server.messages
        lines = re.findall(r"^- (.*)$", text_of(mail), re.MULTILINE)
        assert lines == ["bad", *(f"sweep{number}-*: 2 succeeded" for number in range(49))]
        assert "and 12 more in your inbox." in text_of(mail)

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

    @pytest.mark.parametrize("off", [0, 1])
    def test_an_event_switched_off_meanwhile(self, server: SmtpServer, alice: User, off: int) -> None:
        """As by the link of a mail that stops mails at an event. Also the one that stands for the bundle."""
        ChannelPreference.objects.create(user=alice, channel="webpush", events=[])  # says nothing of mails
        events = ["succeeded", "succeeded", "succeeded"]
        events[off] = "running"
        made = [make_delivery(alice, event=event) for event in events]
        Delivery.objects.update(state=BUNDLED)
        unsubscribe.switch(
            user=alice, subscription=Subscription.of(made[off].notification, Scope.EVENT), stop=True
        )
        deliver_due()
        deliver_due()
        assert [str(mail["Subject"]) for mail in server.messages] == ["[cluster] 2 succeeded"]
        assert reloaded(made[off]).state == DeliveryState.DROPPED
        assert states() == {SENT: 2, DeliveryState.DROPPED: 1}
        assert scrape().counts("deliveries_total")["email", "dropped"] == 1

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
