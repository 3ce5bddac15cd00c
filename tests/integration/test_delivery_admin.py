"""The delivery log: filters, actions with who did them, the channels' figures and switches."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.delivery import bundles, pausing, queue
from notifications.delivery_admin import DeliveryAdmin
from notifications.models import Delivery, DeliveryState, MetricValue
from notifications.tasks import deliver_due
from preferences.kinds import Channel
from preferences.models import AddressRecord, ChannelPolicy
from tests.deliveries import make_deliveries, make_delivery, reloaded
from tests.smtp import SmtpServer

URL = "/admin/notifications/delivery/"


@pytest.fixture
def browser(root: User, client: Client) -> Client:
    client.force_login(root)
    return client


def set_state(state: str, *deliveries: Delivery, **values: Any) -> None:
    ids = [delivery.id for delivery in deliveries]
    Delivery.objects.filter(id__in=ids).update(state=state, **values)


def run(browser: Client, action: str, *rows: Delivery) -> str:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return browser.post(URL, chosen, follow=True).content.decode()


def listed(browser: Client, query: str) -> list[int]:
    answer = browser.get(f"{URL}?{query}")
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list]


def history() -> list[tuple[str, str, str]]:
    return [
        (entry.user.get_username(), str(entry.object_id), entry.get_change_message())
        for entry in LogEntry.objects.order_by("id")
    ]


class TestActions:
    def test_cancelling_takes_only_what_waits(self, browser: Client, alice: User) -> None:
        waits, later, in_hand, left_behind, sent = (make_delivery(alice) for _ in range(5))
        set_state("retry", later)
        set_state("leased", in_hand, due_at=Now() + timedelta(minutes=1))
        set_state("leased", left_behind, due_at=Now() - timedelta(minutes=1))
        set_state("sent", sent)
        page = run(browser, "cancel", waits, later, in_hand, left_behind, sent)
        assert "3 cancelled." in page
        assert "2 left alone" in page
        for cancelled in (waits, later, left_behind):
            settled = reloaded(cancelled)
            assert (settled.state, settled.last_error) == (DeliveryState.DROPPED, "Cancelled by root.")
        assert (reloaded(in_hand).state, reloaded(sent).state) == ("leased", "sent")
        counted = MetricValue.objects.get(name="deliveries_total", labels=["email", "dropped"])
        assert counted.value == 3

    def test_of_a_bundle_only_what_was_chosen_is_cancelled(
        self, server: SmtpServer, browser: Client, alice: User
    ) -> None:
        first, second, third = (make_delivery(alice) for _ in range(3))
        set_state("bundled", first, second, third)
        bundles.form(Channel.EMAIL)
        assert reloaded(first).bundle_size == 3
        assert "1 cancelled." in run(browser, "cancel", first)
        assert [reloaded(one).bundle for one in (second, third)] == [None, None]
        assert "1 cancelled." in run(browser, "cancel", second)
        deliver_due()
        assert [reloaded(one).state for one in (first, second, third)] == ["dropped", "dropped", "sent"]

    def test_what_is_being_sent_as_a_bundle_is_left_alone(self, browser: Client, alice: User) -> None:
        first, second = (make_delivery(alice) for _ in range(2))
        set_state("bundled", first, second)
        bundles.form(Channel.EMAIL)
        queue.claim(Channel.EMAIL, limit=1)
        assert "2 left alone" in run(browser, "cancel", first, second)

    def test_what_was_cancelled_is_not_sent_and_can_be_resent(
        self, server: SmtpServer, browser: Client, alice: User
    ) -> None:
        delivery = make_delivery(alice)
        run(browser, "cancel", delivery)
        deliver_due()
        assert server.messages == []
        run(browser, "resend", delivery)
        deliver_due()
        assert reloaded(delivery).state == DeliveryState.SENT

    def test_a_second_copy_is_asked_for_by_name_and_few_at_once(
        self, server: SmtpServer, browser: Client, alice: User
    ) -> None:
        many = make_deliveries(alice, 51)
        set_state("failed", *many)
        delivery = make_delivery(alice, framework_name="another")
        deliver_due()
        assert "1 left alone" in run(browser, "resend", delivery)
        assert "1 put back in line" in run(browser, "send_second_copy", delivery)
        deliver_due()
        assert list(server.counts().values()) == [2]
        assert "choose at most 50" in run(browser, "send_second_copy", *many)

    def test_who_did_what_is_kept_and_logged(
        self, browser: Client, alice: User, root: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "notifications")
        first, second, sent = (make_delivery(alice) for _ in range(3))
        set_state("sent", sent)
        run(browser, "cancel", first, second, sent)
        run(browser, "resend", first)
        assert sorted(history()) == [
            ("root", str(first.pk), "Cancelled."),
            ("root", str(first.pk), "Resent."),
            ("root", str(second.pk), "Cancelled."),
        ]
        lines = [record.getMessage() for record in caplog.records if "admin action" in record.getMessage()]
        assert lines == [
            f"admin action='Cancelled.' by={root.pk} model=delivery rows=2 ids={first.pk},{second.pk}",
            f"admin action='Resent.' by={root.pk} model=delivery rows=1 ids={first.pk}",
        ]

    @pytest.mark.parametrize("action", ["cancel", "resend", "send_second_copy"])
    def test_staff_that_may_only_look_changes_nothing(self, alice: User, action: str) -> None:
        delivery = make_delivery(alice)
        run(looking_only(alice), action, delivery)
        assert reloaded(delivery).state == DeliveryState.PENDING
        assert history() == []


def looking_only(user: User) -> Client:
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client = Client()
    client.force_login(user)
    return client


class TestFinding:
    def test_by_state_channel_and_age(self, browser: Client, alice: User) -> None:
        new, yesterdays, old = (make_delivery(alice) for _ in range(3))
        for delivery, hours in ((new, 0), (yesterdays, 20), (old, 50)):
            Delivery.objects.filter(id=delivery.id).update(created_at=timezone.now() - timedelta(hours=hours))
        set_state("failed", old)
        assert listed(browser, "state__exact=failed") == [old.pk]
        assert listed(browser, "channel__exact=alertmanager") == []
        assert listed(browser, "age=hour") == [new.pk]
        assert listed(browser, "age=day") == [yesterdays.pk, new.pk]
        assert listed(browser, "age=week") == [old.pk, yesterdays.pk, new.pk]
        assert listed(browser, "age=older&state__exact=failed") == [old.pk]

    def test_only_the_newest_are_looked_through_but_for_failures_and_ids(
        self, browser: Client, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(DeliveryAdmin, "newest_rows", 2)
        oldest, *newest = (make_delivery(alice) for _ in range(3))
        set_state("dropped", oldest)
        in_order = sorted((delivery.pk for delivery in newest), reverse=True)
        assert listed(browser, "") == in_order
        assert listed(browser, "q=alice") == in_order
        assert listed(browser, "state__exact=dropped") == [oldest.pk]
        assert listed(browser, f"q={oldest.pk}") == [oldest.pk]

    def test_every_look_at_the_table_is_bounded(self, browser: Client, alice: User) -> None:
        make_delivery(alice)
        for query in ("", "q=alice", "q=resnet50-lr3", "age=hour", "channel__exact=email&q=alice"):
            with CaptureQueriesContext(connection) as queries:
                listed(browser, query)
            for one in queries:
                sql = one["sql"]
                bounded = '"notifications_delivery"."id" >' in sql or "LIMIT" in sql
                assert 'FROM "notifications_delivery"' not in sql or bounded, sql


class TestChannels:
    def test_pausing_does_not_switch_on_what_nobody_has_allowed(self, browser: Client) -> None:
        (before,) = [one for one in browser.get(URL).context["channels"] if one.channel == Channel.WEBHOOK]
        assert not before.policy.enabled
        switch(browser, "webhook", "pause")
        switch(browser, "webhook", "resume")
        assert not ChannelPolicy.objects.get(channel="webhook").enabled

    def test_figures(self, server: SmtpServer, browser: Client, alice: User) -> None:
        server.programme.rcpt = lambda to: "550 no" if len(server.messages) == 2 else "250 OK"
        make_deliveries(alice, 3)
        deliver_due()
        later, *_ = [make_delivery(alice) for _ in range(4)]
        set_state("retry", later)
        (email,) = [one for one in browser.get(URL).context["channels"] if one.channel == Channel.EMAIL]
        assert email.waiting == {"pending": 3, "bundled": 0, "leased": 0, "retry": 1}
        assert (email.settled["sent"], email.settled["failed"]) == (2, 1)
        assert email.oldest is not None
        assert not email.more

    def test_pause_and_resume(self, server: SmtpServer, browser: Client, alice: User) -> None:
        make_delivery(alice)
        page = switch(browser, "email", "pause")
        assert "E-mail: Paused." in page
        assert "<strong>Paused</strong>" in page
        assert "Paused by root." in page
        deliver_due()
        assert server.connections == 0
        page = switch(browser, "email", "resume")
        assert "<strong>Paused</strong>" not in page
        deliver_due()
        assert len(server.messages) == 1
        assert history() == [("root", "email", "Paused."), ("root", "email", "Resumed.")]

    def test_a_pause_of_its_own_making_shows_why_and_escaped(self, browser: Client) -> None:
        pausing.pause_by_itself(Channel.EMAIL, reason="535 <img src=x onerror=alert(1)>")
        page = browser.get(URL).content.decode()
        assert "535 &lt;img" in page
        assert "It is tried again at" in page

    @pytest.mark.parametrize("path", ["email/explode/", "webportal/pause/", "pigeon/pause/"])
    def test_what_there_is_not(self, browser: Client, path: str) -> None:
        assert browser.post(f"{URL}channels/{path}").status_code == 404

    def test_only_by_post_and_only_by_those_who_may(self, browser: Client, alice: User) -> None:
        assert browser.get(f"{URL}channels/email/pause/").status_code == 403
        client = looking_only(alice)
        assert client.post(f"{URL}channels/email/pause/").status_code == 403
        assert "Resume" not in client.get(URL).content.decode()
        assert not ChannelPolicy.objects.filter(paused=True).exists()

    def test_saving_the_policy_does_not_undo_a_pause_of_the_same_moment(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ChannelPolicy.objects.create(channel="email")
        save = ChannelPolicy.save

        def pause_first(self: ChannelPolicy, *args: Any, **options: Any) -> None:
            monkeypatch.setattr(ChannelPolicy, "save", save)
            pausing.pause_by_itself(Channel.EMAIL, reason="535")
            save(self, *args, **options)

        monkeypatch.setattr(ChannelPolicy, "save", pause_first)
        browser.post("/admin/preferences/channelpolicy/email/change/", {"channel": "email"})
        policy = ChannelPolicy.objects.get()
        assert (policy.enabled, policy.paused) == (False, True)


def switch(browser: Client, channel: str, action: str) -> str:
    return browser.post(f"{URL}channels/{channel}/{action}/", follow=True).content.decode()


def test_an_admin_can_lift_an_address_that_was_given_up(browser: Client, alice: User) -> None:
    AddressRecord.objects.create(user=alice, address=alice.email, refusals=3, last_error="550 <b>no</b>")
    page = browser.get("/admin/preferences/addressrecord/?q=alice").content.decode()
    assert "550 &lt;b&gt;no" in page
    browser.post(f"/admin/preferences/addressrecord/{alice.pk}/delete/", {"post": "yes"})
    assert not AddressRecord.objects.exists()
    assert history()[0][0] == "root"


def test_what_could_not_be_sent_for_days_is_of_no_use(server: SmtpServer, alice: User) -> None:
    old, resent = make_delivery(alice), make_delivery(alice)
    Delivery.objects.update(planned_at=timezone.now() - timedelta(days=3, minutes=1))
    set_state("pending", resent, planned_at=Now(), created_at=timezone.now() - timedelta(days=5))
    deliver_due()
    settled = reloaded(old)
    assert (settled.state, settled.last_error) == ("dropped", "It could not be sent within 3 days.")
    assert reloaded(resent).state == "sent"
