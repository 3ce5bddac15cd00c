"""The sending loop: what it leaves out, gives back, gives up, and survives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from notifications.delivery import queue, sender
from notifications.delivery.backoff import MAX_REFUSALS
from notifications.delivery.mail import compose
from notifications.models import Delivery, DeliveryState
from notifications.tasks import deliver_due
from preferences.kinds import Channel
from preferences.models import ChannelPolicy, ChannelPreference, JobConfig
from tests import smtp
from tests.deliveries import SUBMITTED, make_delivery, make_due, reloaded, seconds_until_due
from tests.smtp import SmtpServer


def deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def take_address_away(user: User) -> None:
    User.objects.filter(id=user.id).update(email="")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (deactivate, "The user has been deactivated."),
        (take_address_away, "The user has no e-mail address."),
        (
            lambda _: ChannelPolicy.objects.create(channel="email", enabled=False),
            "The administrator has switched this channel off.",
        ),
        (
            lambda user: ChannelPreference.objects.create(user=user, channel="email", enabled=False),
            "The user has switched this channel off.",
        ),
        (
            lambda user: ChannelPreference.objects.create(user=user, channel="email", events=["stopped"]),
            "The user has switched this event off for this channel.",
        ),
        (
            lambda _: JobConfig.objects.create(framework_name="job", submission_time=SUBMITTED, muted=True),
            "The job has been muted.",
        ),
    ],
)
def test_what_nobody_wants_any_more_is_dropped_with_the_reason(
    server: SmtpServer, alice: User, change: Any, reason: str
) -> None:
    delivery = make_delivery(alice, framework_name="job")
    change(alice)
    deliver_due()
    settled = reloaded(delivery)
    assert (settled.state, settled.last_error) == (DeliveryState.DROPPED, reason)
    assert server.messages == []


@pytest.mark.parametrize(("minutes", "state"), [(1, DeliveryState.DROPPED), (-1, DeliveryState.SENT)])
def test_a_mute_counts_until_its_end(server: SmtpServer, alice: User, minutes: int, state: str) -> None:
    until = timezone.now() + timedelta(minutes=minutes)
    JobConfig.objects.create(framework_name="job", submission_time=SUBMITTED, muted=True, muted_until=until)
    delivery = make_delivery(alice, framework_name="job")
    deliver_due()
    assert reloaded(delivery).state == state


def test_a_muted_job_of_the_same_name_before_does_not_matter(server: SmtpServer, alice: User) -> None:
    earlier = SUBMITTED - timedelta(days=1)
    JobConfig.objects.create(framework_name="job", submission_time=earlier, muted=True)
    delivery = make_delivery(alice, framework_name="job")
    deliver_due()
    assert reloaded(delivery).state == DeliveryState.SENT


def test_what_is_left_when_the_lease_is_half_over_goes_back_untried(
    server: SmtpServer, alice: User, settings: Settings
) -> None:
    settings.DELIVERY_LEASE_SECONDS = 0
    delivery = make_delivery(alice)
    sender.deliver_once()
    settled = reloaded(delivery)
    assert (settled.state, settled.attempts) == (DeliveryState.PENDING, 0)
    assert server.messages == []


def test_a_delivery_that_ends_its_worker_every_time_is_given_up(server: SmtpServer, alice: User) -> None:
    delivery = make_delivery(alice)
    Delivery.objects.update(state=DeliveryState.LEASED, attempts=sender.MOST_LEASES_LOST + 5, refusals=5)
    deliver_due()
    settled = reloaded(delivery)
    assert settled.state == DeliveryState.FAILED
    assert settled.last_error == "Given up: 30 workers have ended while they had it."
    assert server.messages == []


def test_workers_that_ended_use_up_no_chances(server: SmtpServer, alice: User) -> None:
    delivery = make_delivery(alice)
    for _ in range(MAX_REFUSALS):
        queue.claim(Channel.EMAIL, limit=1)
        make_due(delivery)
    assert reloaded(delivery).attempts == MAX_REFUSALS
    server.programme.rcpt = smtp.always("451 greylisted")
    deliver_due()
    settled = reloaded(delivery)
    assert (settled.state, settled.refusals) == (DeliveryState.RETRY, 1)
    assert "451 greylisted" in settled.last_error
    assert 40 < seconds_until_due(delivery) < 80, "the pause after the first refusal"
    server.programme.rcpt = smtp.ACCEPT
    make_due(delivery)
    deliver_due()
    assert reloaded(delivery).state == DeliveryState.SENT


def test_a_mail_that_ends_its_workers_takes_no_other_along(
    server: SmtpServer, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly = make_delivery(alice, job_name="deadly")
    others = [make_delivery(alice) for _ in range(5)]

    class Killed(BaseException):
        pass

    def kills_for_one(delivery: Delivery, **_: Any) -> Any:
        if delivery.id == deadly.id:
            raise Killed
        return compose(delivery)

    monkeypatch.setattr("notifications.delivery.email.compose", kills_for_one)
    for _ in range(sender.MOST_LEASES_LOST):
        with pytest.raises(Killed):
            deliver_due()
        make_due(*Delivery.objects.filter(state=DeliveryState.LEASED))
    deliver_due()
    assert reloaded(deadly).state == DeliveryState.FAILED
    assert {reloaded(other).state for other in others} == {DeliveryState.SENT}
    assert len(server.messages) == len(others)


def test_a_defect_of_ours_in_one_mail_holds_up_nobody(
    server: SmtpServer, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = make_delivery(alice, job_name="broken"), make_delivery(alice)

    def fails_for_one(delivery: Delivery, **_: Any) -> Any:
        if delivery.id == broken.id:
            raise KeyError("defect")
        return compose(delivery)

    monkeypatch.setattr("notifications.delivery.email.compose", fails_for_one)
    deliver_due()
    assert reloaded(broken).state == DeliveryState.RETRY
    assert "KeyError" in reloaded(broken).last_error
    assert reloaded(fine).state == DeliveryState.SENT


@pytest.mark.django_db(transaction=True)
def test_a_database_connection_cut_while_a_mail_goes_out_does_not_send_it_twice(settings: Settings) -> None:
    delivery = make_delivery(User.objects.create_user("alice", "alice@example.org"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    params = connection.get_connection_params()
    params = {key: params[key] for key in ("user", "host", "port", "password") if params.get(key)}
    database = connection.settings_dict["NAME"]

    def cut(_: str) -> str:
        other = psycopg2.connect(dbname=database, **params)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        other.close()
        return smtp.OK

    with SmtpServer() as server:
        smtp.use(settings, server)
        server.programme.rcpt = cut
        deliver_due()
        assert reloaded(delivery).state == DeliveryState.SENT
        assert len(server.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_ends_the_run_quietly(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "NAME", "no_such_database")
        deliver_due()
    connection.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "database away" in caplog.text
