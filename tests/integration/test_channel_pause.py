"""A channel that pauses: by itself when somebody has to mend something, or because an admin says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from email import message_from_bytes

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from pytest_django import Settings

from notifications import health
from notifications.delivery import pausing, sender
from notifications.delivery.backoff import Breaker
from notifications.models import Delivery, DeliveryState, Notification
from notifications.tasks import deliver_due
from preferences.kinds import Channel
from preferences.models import ChannelPolicy, ChannelPreference, UserPreference
from tests.deliveries import make_deliveries, make_delivery
from tests.misbehaving_smtp import MisbehavingServer, say
from tests.pollers import drain

REFUSED = say("535 5.7.8 wrong password")


@pytest.fixture
def server(settings: Settings, breaker: Breaker) -> Iterator[MisbehavingServer]:
    """It refuses our login."""
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "notifcenter", "a-secret"
    with MisbehavingServer({"AUTH": REFUSED}) as started:
        started.use(settings)
        yield started


def policy() -> ChannelPolicy:
    return ChannelPolicy.objects.get(channel="email")


def waiting() -> int:
    return Delivery.objects.filter(state__in=["pending", "retry"], attempts=0, refusals=0).count()


def sent() -> int:
    return Delivery.objects.filter(state=DeliveryState.SENT).count()


def told(user: User) -> list[Notification]:
    """What this admin's inbox says of it, after the poller has come by."""
    drain()
    return list(Notification.objects.filter(user=user, event="alert", in_inbox=True).order_by("id"))


def let_it_try() -> None:
    ChannelPolicy.objects.update(try_at=Now())
    deliver_due()


def test_a_refused_login_pauses_all_of_the_channel_and_uses_nothing_up(
    server: MisbehavingServer, alice: User
) -> None:
    make_deliveries(alice, 25)
    for _ in range(3):
        deliver_due()
    assert server.logins == 1, "a login that is refused again and again gets an account locked"
    assert waiting() == 25
    assert policy().paused
    assert policy().paused_at is not None
    assert policy().pause_reason == "The mail server refuses our login: 535 5.7.8 wrong password"
    assert "E-mail has paused by itself" in health.failing()["channels"]


def test_all_admins_are_told_once_and_not_by_the_channel_itself(
    server: MisbehavingServer, alice: User, root: User
) -> None:
    staff = User.objects.create_user("carol", "carol@example.org", is_staff=True)
    User.objects.create_user("gone", "gone@example.org", is_staff=True, is_active=False)
    ChannelPreference.objects.create(user=staff, channel="webportal", enabled=False)
    make_delivery(alice)
    deliver_due()
    for admin in (root, staff):
        (notification,) = told(admin)
        assert notification.details["summary"] == "E-mail is paused: nothing can be sent"
        assert "535 5.7.8 wrong password" in notification.details["reason"]
        assert not notification.deliveries.exists()
    assert told(alice) == []
    assert Notification.objects.filter(event="alert").count() == 2

    let_it_try()
    pausing.resume(Channel.EMAIL, by="root")
    deliver_due()
    assert server.logins == 3
    assert len(told(root)) == 1, "they know"


def test_it_tries_again_by_itself_with_one_mail_and_goes_on_when_that_went_out(
    server: MisbehavingServer, alice: User, root: User
) -> None:
    make_deliveries(alice, 12)
    deliver_due()
    let_it_try()
    deliver_due()
    assert server.logins == 2
    assert waiting() == 12

    del server.does["AUTH"]
    let_it_try()
    assert sent() == 12
    assert not policy().paused
    assert not policy().pause_reason
    (notification,) = told(root)
    assert "resolved_at" in notification.details

    server.does["AUTH"] = REFUSED
    make_delivery(alice)
    deliver_due()
    assert len(told(root)) == 2, "it had worked in between"


def test_it_tries_again_when_all_that_waits_is_to_go_out_together(
    server: MisbehavingServer, alice: User
) -> None:
    """The mail that had found out is gone: nothing would ever end the pause, and no bundle is formed in one."""
    first = make_delivery(alice)
    deliver_due()
    first.notification.delete()
    make_deliveries(alice, 3)
    Delivery.objects.update(state=DeliveryState.BUNDLED)
    deliver_due()
    assert not Delivery.objects.exclude(bundle=None).exists()

    let_it_try()
    assert server.logins == 2
    assert policy().paused
    del server.does["AUTH"]
    let_it_try()
    assert sent() == 3
    assert len(server.mails) == 1
    assert not policy().paused


def test_a_try_is_not_spent_on_what_nobody_wants_now(
    server: MisbehavingServer, alice: User, bob: User
) -> None:
    """Else each of them would hold up the rest for another quarter of an hour."""
    make_delivery(bob)
    deliver_due()
    del server.does["AUTH"]
    bob.is_active = False
    bob.save()
    make_delivery(bob)
    UserPreference.objects.create(user=alice, quiet_from=time(0), quiet_until=time(23, 59, 59, 999_999))
    for _ in range(2):
        make_delivery(alice)
    awake = User.objects.create_user("carol", "carol@example.org")
    make_delivery(awake)
    let_it_try()
    assert [mail["To"] for mail in map(message_from_bytes, server.mails)] == ["carol@example.org"]
    assert not policy().paused


def test_a_refused_address_shows_as_well_that_the_channel_works(
    server: MisbehavingServer, alice: User
) -> None:
    make_delivery(alice)
    deliver_due()
    server.does = {"RCPT": say("550 5.1.1 no such user")}
    let_it_try()
    assert not policy().paused


def test_only_one_worker_tries(server: MisbehavingServer, alice: User) -> None:
    make_deliveries(alice, 3)
    deliver_due()
    ChannelPolicy.objects.update(try_at=Now())
    assert [pausing.takes_try(Channel.EMAIL) for _ in range(2)] == [True, False]


def test_nothing_is_tried_when_nothing_waits(server: MisbehavingServer, alice: User) -> None:
    make_delivery(alice)
    deliver_due()
    Delivery.objects.all().delete()
    ChannelPolicy.objects.update(try_at=Now())
    assert not pausing.takes_try(Channel.EMAIL)


def test_an_admins_pause_keeps_everything_until_the_admin_resumes(
    server: MisbehavingServer, alice: User, root: User
) -> None:
    server.does.clear()
    pausing.pause(Channel.EMAIL, by="root")
    make_deliveries(alice, 3)
    deliver_due()
    assert (waiting(), server.connections) == (3, 0)
    assert policy().pause_reason == "Paused by root."
    assert "channels" not in health.failing(), "somebody wants it so"
    assert not pausing.takes_try(Channel.EMAIL)

    pausing.resume(Channel.EMAIL, by="root")
    deliver_due()
    assert sent() == 3
    assert told(root) == []


def test_a_worker_that_finds_the_trouble_late_does_not_undo_the_admins_pause(
    server: MisbehavingServer, alice: User
) -> None:
    make_delivery(alice)
    pausing.pause(Channel.EMAIL, by="root")
    pausing.pause_by_itself(Channel.EMAIL, reason="535")
    assert (policy().pause_reason, policy().try_at) == ("Paused by root.", None)


def test_what_is_off_is_dropped_and_what_pauses_waits(server: MisbehavingServer, alice: User) -> None:
    make_delivery(alice)
    pausing.pause(Channel.EMAIL, by="root")
    ChannelPolicy.objects.update(enabled=False)
    deliver_due()
    assert waiting() == 1
    pausing.resume(Channel.EMAIL, by="root")
    deliver_due()
    assert Delivery.objects.get().state == DeliveryState.DROPPED


def test_a_channel_that_pauses_holds_up_no_other(server: MisbehavingServer, alice: User) -> None:
    make_delivery(alice)
    deliver_due()
    other = make_delivery(alice)
    Delivery.objects.filter(id=other.id).update(channel=Channel.ALERTMANAGER)
    sender.deliver_once()
    assert Delivery.objects.get(id=other.id).last_error == (
        "No Alertmanager is configured: ALERTMANAGER_URL is not set."
    )


def test_the_oldest_delivery_of_a_channel_that_pauses_is_nobodys_failure(alice: User) -> None:
    make_delivery(alice)
    Delivery.objects.update(planned_at="2026-11-22T09:00:00Z", due_at="2026-11-22T09:00:00Z")
    assert "deliveries" in health.failing()
    pausing.pause(Channel.EMAIL, by="root")
    assert "deliveries" not in health.failing()
