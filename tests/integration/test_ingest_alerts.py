"""From Alertmanager's webhook to the inbox, by our own REST and poller."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from notifcenter import demo_setup
from notifications.delivery import sender
from notifications.delivery.wanted import why_not_wanted
from notifications.groups import wishes as groups
from notifications.groups.models import JobGroup
from notifications.models import Delivery, Notification
from notifications.unsubscribe import Scope, Subscription, switch
from preferences import services
from preferences.kinds import Channel, Event
from preferences.services import ChannelChange
from tests.clients import client_of, get
from tests.cluster import submit
from tests.deliveries import make_delivery
from tests.inbox import LIST
from tests.ingested import STARTED, TOKEN, URL, _token, fired, one, post
from tests.pollers import drain
from tests.smtp import SmtpServer
from tests.unit.test_ingest_reading import alert, labels
from tests.wishes import job

__all__ = ["_token"]

pytestmark = pytest.mark.django_db


def submit_sweep() -> JobGroup:
    for name in ("bert-1", "bert-2"):
        submit(name, submissionTime=datetime(2026, 11, 22, 10, tzinfo=UTC))
    drain()
    return JobGroup.objects.get()


def about_one_of(sweep: JobGroup) -> dict[str, Any]:
    assert sweep.jobs == 2
    return fired(labels=labels(job_name="bert-2"))


class TestWho:
    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"]
    )
    def test_another_token_is_refused(self, header: str) -> None:
        answer = Client().post(
            URL, {}, "application/json", headers={"Authorization": header} if header else {}
        )
        assert answer.status_code == 401
        assert "INGEST_TOKEN" in answer.json()["detail"]
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_a_users_session_is_no_token(self, alice: User) -> None:
        assert client_of(alice).post(URL, {}, "application/json").status_code == 401

    def test_without_a_token_of_ours_it_is_off_and_alertmanager_may_try_again(
        self, settings: Settings
    ) -> None:
        settings.INGEST_TOKEN = ""
        answer = post(fired(), token="")
        assert answer.status_code == 503
        assert "INGEST_TOKEN is not set" in answer.json()["detail"]

    def test_the_token_opens_nothing_else(self) -> None:
        assert Client().get(LIST, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401


class TestBody:
    @pytest.mark.parametrize("body", [b"{", b"[]", b'{"version": "3", "alerts": []}', b"\xff", b"[" * 10_000])
    def test_what_is_no_payload_is_refused_with_a_reason(self, body: bytes) -> None:
        answer = Client().post(URL, body, "application/json", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 400
        assert answer.json()["detail"]

    def test_a_large_group_is_taken_and_a_huge_body_refused(self) -> None:
        annotations = {"description": "x" * 2000}
        answer = post(*[fired(fingerprint=f"{number:x}", annotations=annotations) for number in range(700)])
        assert answer.json()["accepted"] == 700
        assert post(fired(annotations={"description": "x" * 9_000_000})).status_code == 413

    def test_the_good_ones_are_taken_and_the_rest_is_named(self) -> None:
        answer = post(
            fired(), fired(fingerprint="f1", labels={"alertname": "NodeDown"}), 3, truncatedAlerts=2
        )
        assert answer.status_code == 200
        said = answer.json()
        assert (said["accepted"], said["truncated"], len(said["ignored"])) == (1, 2, 2)
        assert said["ignored"][0]["fingerprint"] == "f1"
        assert said["ignored"][0]["alertname"] == "NodeDown"
        assert "username" in said["ignored"][0]["reason"]


class TestTold:
    def test_the_owner_is_told_once_per_start(self, alice: User) -> None:
        for _ in range(2):
            assert post(fired()).json()["accepted"] == 1
        drain()
        post(fired())
        told = one()
        assert (told.user, told.event, told.in_inbox) == (alice, "alert", True)
        assert told.occurred_at == datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
        assert Delivery.objects.get().channel == "email"
        post(alert(startsAt="2026-11-22T11:30:00Z"))
        drain()
        assert Notification.objects.count() == 2

    def test_inbox_and_rest_show_it(self, alice: User) -> None:
        post(
            fired(
                annotations={
                    "summary": "GPUs are idle",
                    "description": "Stop it.",
                    "runbook_url": "https://w.org/",
                }
            )
        )
        drain()
        [shown] = get(client_of(alice), LIST, event="alert")["results"]
        assert (shown["title"], shown["summary"]) == ("GPUs are idle", "Warn · GpuIdle")
        assert shown["job"] == {"name": "bert", "framework": "", "username": "alice", "virtual_cluster": ""}
        assert shown["url"].endswith("/?event=alert")
        page = client_of(alice).get("/").content.decode()
        assert "GPUs are idle" in page
        assert 'href="https://w.org/"' in page
        assert "Open job" not in page

    def test_it_is_linked_to_its_job(self, alice: User) -> None:
        hour = timedelta(hours=1)
        framework = submit("bert", submissionTime=datetime(2026, 11, 22, 11, tzinfo=UTC) - hour)
        post(fired())
        told = one()
        assert (told.details["framework"], told.virtual_cluster) == (framework, "default")
        [shown] = get(client_of(alice), LIST)["results"]
        assert shown["url"].endswith(f"/jobs/{framework}/")

    @pytest.mark.parametrize("owner", ["bob", "alice"])
    def test_neither_to_another_users_job_nor_to_a_younger_one(self, alice: User, owner: str) -> None:
        at = datetime(2026, 11, 22, 12 if owner == "alice" else 10, tzinfo=UTC)
        submit("bert", owner, name="bert", submissionTime=at)
        post(fired())
        assert "framework" not in one().details

    def test_a_muted_jobs_alert_is_silent(self, alice: User) -> None:
        framework = submit("bert", submissionTime=datetime(2026, 11, 22, 10, tzinfo=UTC))
        services.set_job_override(job=job(framework), mute=services.Mute())
        post(fired())
        assert one().read_at is not None
        assert not Delivery.objects.exists()

    def test_a_job_muted_meanwhile_silences_the_mail(self, alice: User) -> None:
        framework = submit("bert", submissionTime=datetime(2026, 11, 22, 10, tzinfo=UTC))
        post(fired())
        one()
        services.set_job_override(job=job(framework), mute=services.Mute())
        assert list(why_not_wanted(list(Delivery.objects.select_related("notification__user"))).values()) == [
            "The job has been muted."
        ]

    def test_a_muted_sweeps_alert_is_silent(self, alice: User) -> None:
        sweep = submit_sweep()
        groups.change(group=sweep, mute=services.Mute())
        post(about_one_of(sweep))
        assert (one().read_at is not None, one().group) == (True, sweep)
        assert not Delivery.objects.exists()

    def test_a_mute_that_has_run_out_silences_nothing(self, alice: User) -> None:
        sweep = submit_sweep()
        groups.change(group=sweep, mute=services.Mute(timezone.now() - timedelta(hours=1)))
        post(about_one_of(sweep))
        assert one().read_at is None
        assert Delivery.objects.exists()

    @pytest.mark.parametrize("bundled", [False, True])
    @pytest.mark.parametrize("scope", [Scope.GROUP, Scope.JOB])
    def test_what_is_muted_meanwhile_is_not_sent(
        self, alice: User, server: SmtpServer, scope: Scope, bundled: bool
    ) -> None:
        first = make_delivery(alice) if bundled else None
        post(about_one_of(submit_sweep()))
        drain()
        told = Notification.objects.get(event=Event.ALERT)
        if first:
            Delivery.objects.filter(channel=Channel.EMAIL).update(state="bundled", due_at=first.due_at)
        switch(user=alice, subscription=Subscription.of(told, scope), stop=True)
        while sender.deliver_once():
            pass
        alerts = Delivery.objects.filter(notification=told, channel=Channel.EMAIL)
        assert list(alerts.values_list("state", flat=True)) == ["dropped"]
        assert len(server.messages) == bundled

    def test_the_owner_chooses_the_channels(self, alice: User) -> None:
        change = ChannelChange(events={Event.ALERT: False})
        services.save_preferences(user=alice, channels={Channel.EMAIL: change, Channel.WEBPORTAL: change})
        post(fired())
        assert one().in_inbox is False
        assert not Delivery.objects.exists()

    def test_it_never_goes_out_to_alertmanager(self, alice: User, settings: Settings) -> None:
        settings.ALERTMANAGER_URL = "http://127.0.0.1:9093"
        post(fired())
        one()
        assert list(Delivery.objects.values_list("channel", flat=True)) == ["email"]

    def test_a_user_never_seen_before_gets_a_record(self) -> None:
        post(fired(labels=labels(username="newcomer")))
        assert one().user.username == "newcomer"
        assert not one().user.has_usable_password()


class TestResolved:
    def test_it_is_marked_and_nobody_is_told_again(self, alice: User) -> None:
        post(fired())
        drain()
        for ends_at in ("2026-11-22T11:12:00Z", "2026-11-22T11:50:00Z"):
            post(fired(status="resolved", endsAt=ends_at))
            drain()
        told = one()
        assert told.details["resolved_at"] == "2026-11-22T11:12:00+00:00"
        assert (
            get(client_of(alice), LIST)["results"][0]["summary"]
            == "Warn · GpuIdle · resolved after 12 minutes"
        )
        assert Delivery.objects.count() == 1

    def test_both_in_one_batch(self, alice: User) -> None:
        post(fired(), fired(status="resolved", endsAt="2026-11-22T11:12:00Z"))
        assert one().details["lasted_seconds"] == 720

    def test_one_that_was_never_told_is_nothing(self) -> None:
        assert post(fired(status="resolved", endsAt=STARTED)).json()["accepted"] == 1
        drain()
        assert not Notification.objects.exists()


def test_the_demo_shows_one_to_each_of_its_users(alice: User) -> None:
    demo_setup.fire_alerts()
    drain()
    [shown] = get(client_of(alice), LIST)["results"]
    assert shown["title"] == "The GPU of notebook-alice has been idle for an hour"
    assert Notification.objects.count() == len(demo_setup.USERS)
