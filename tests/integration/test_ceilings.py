"""What is above a ceiling of the admin waits for the end of the hour and goes out together; nothing is dropped."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from pytest_django import Settings

from notifications.delivery import ceilings, sender
from notifications.delivery.backoff import Breaker
from notifications.delivery.queue import Claim
from notifications.models import Delivery, SentHour
from preferences.kinds import Channel
from preferences.models import ChannelPolicy
from tests.deliveries import make_deliveries, make_delivery, reloaded
from tests.misbehaving_smtp import Does, MisbehavingServer, hang_up, say
from tests.processes import free_port
from tests.receiver import Receiver
from tests.smtp import SmtpServer
from tests.targets import add_chat, add_webhook, make_target_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("breaker")]

HOUR = timedelta(hours=1)


def ceiling(channel: Channel = Channel.EMAIL, **values: int) -> None:
    ChannelPolicy.objects.update_or_create(channel=channel, defaults={"enabled": True, **values})


def send_all() -> None:
    while sender.deliver_once():
        pass


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))


def an_hour_passes() -> None:
    SentHour.objects.update(began=F("began") - HOUR)
    Delivery.objects.exclude(state="sent").update(
        due_at=F("due_at") - HOUR, planned_at=F("planned_at") - HOUR
    )


class TestMails:
    def test_what_is_above_goes_out_as_one_when_the_hour_is_over(
        self, alice: User, server: SmtpServer
    ) -> None:
        ceiling(per_user_an_hour=2)
        make_deliveries(alice, 12)
        send_all()
        assert states() == {"sent": 2, "bundled": 10}
        end = SentHour.objects.get().began + HOUR
        held = Delivery.objects.filter(state="bundled").values_list("attempts", "due_at", "planned_at")
        assert set(held) == {(0, end, end)}, "that it had to wait is nobody's failure"
        send_all()
        assert len(server.messages) == 2
        an_hour_passes()
        send_all()
        assert states() == {"sent": 12}
        assert len(server.messages) == 3
        assert "10 jobs failed" in str(server.messages[-1]["Subject"])

    def test_what_is_above_asks_for_no_connection(self, alice: User, server: SmtpServer) -> None:
        ceiling(per_user_an_hour=1)
        make_delivery(alice)
        send_all()
        for _ in range(3):
            make_delivery(alice)
        send_all()
        assert states() == {"sent": 1, "bundled": 3}
        assert server.connections == 1

    def test_a_full_hour_of_one_ceiling_is_enough(self, alice: User, bob: User, server: SmtpServer) -> None:
        """Also while the other's has long been over: what waits, waits for the one that is full."""
        ceiling(in_all_an_hour=1, per_user_an_hour=1)
        make_delivery(alice)
        send_all()
        SentHour.objects.filter(user_id=alice.pk).update(began=F("began") - HOUR)
        waiting = make_delivery(alice)
        send_all()
        assert reloaded(waiting).due_at == SentHour.objects.get(user_id=ceilings.EVERYBODY).began + HOUR
        assert server.connections == 1

    def test_each_user_has_an_own_one(self, alice: User, bob: User, server: SmtpServer) -> None:
        ceiling(per_user_an_hour=1)
        for user in (alice, alice, bob):
            make_delivery(user)
        send_all()
        assert sorted(str(mail["To"]) for mail in server.messages) == ["alice@example.org", "bob@example.org"]

    def test_one_for_all_of_them(self, alice: User, bob: User, server: SmtpServer) -> None:
        ceiling(in_all_an_hour=2, per_user_an_hour=5)
        for user in (alice, bob, alice, bob):
            make_delivery(user)
        send_all()
        assert len(server.messages) == 2
        assert states() == {"sent": 2, "bundled": 2}

    def test_a_bundle_for_which_there_is_no_room_waits_with_all_it_holds(
        self, alice: User, server: SmtpServer
    ) -> None:
        ceiling(per_user_an_hour=1)
        make_deliveries(alice, 3)
        Delivery.objects.update(state="bundled")
        make_delivery(alice)
        SentHour.objects.all().delete()
        send_all()
        end = SentHour.objects.get().began + HOUR
        held = Delivery.objects.filter(state="bundled").values_list("bundle", "due_at", "planned_at")
        assert set(held) == {(None, end, end)}
        an_hour_passes()
        send_all()
        assert states() == {"sent": 4}
        assert len(server.messages) == 2

    def test_what_finds_no_server_takes_no_place(
        self, alice: User, server: SmtpServer, breaker: Breaker, settings: Settings
    ) -> None:
        ceiling(per_user_an_hour=1, in_all_an_hour=1)
        delivery = make_delivery(alice)
        settings.EMAIL_PORT = free_port()
        sender.deliver_once()
        assert states() == {"retry": 1}
        settings.EMAIL_PORT = server.port
        breaker.closed(Channel.EMAIL)
        Delivery.objects.update(due_at=delivery.due_at)
        send_all()
        assert states() == {"sent": 1}

    @pytest.mark.parametrize(
        "does",
        [
            {"greeting": say("421 4.3.2 too busy")},
            {"MAIL": say("451 4.3.0 not now")},
            {"RCPT": say("450 4.2.0 greylisted")},
            {"mail": say("452 4.3.1 out of disk")},
            {"mail": hang_up},
            {"RCPT": say("550 5.1.1 no such user")},
        ],
        ids=["421", "451", "450", "452", "hangs up", "550"],
    )
    def test_what_is_refused_takes_no_place(
        self, alice: User, server: SmtpServer, breaker: Breaker, settings: Settings, does: dict[str, Does]
    ) -> None:
        ceiling(per_user_an_hour=2, in_all_an_hour=2)
        make_delivery(alice)
        send_all()
        refused = make_delivery(alice)
        with MisbehavingServer(does) as misbehaving:
            misbehaving.use(settings)
            sender.deliver_once()
            assert misbehaving.connections
        assert states() == {"sent": 1, str(reloaded(refused).state): 1}
        assert set(SentHour.objects.values_list("count", flat=True)) == {1}
        settings.EMAIL_PORT = server.port
        breaker.closed(Channel.EMAIL)
        Delivery.objects.filter(id=refused.id).update(
            state="retry", due_at=refused.due_at, planned_at=refused.due_at
        )
        send_all()
        assert states() == {"sent": 2}
        assert set(SentHour.objects.values_list("count", flat=True)) == {2}

    def test_a_place_of_an_hour_that_is_over_is_not_given_back(self, alice: User) -> None:
        ceiling(per_user_an_hour=2)
        gate, delivery = ceilings.gate_of(Channel.EMAIL), make_delivery(alice)
        assert gate.has_room(Claim(delivery.id, delivery.due_at, 1), delivery)
        SentHour.objects.update(began=F("began") + HOUR, count=2)
        gate.give_back()
        assert SentHour.objects.get().count == 2

    def test_without_one_nothing_is_counted(self, alice: User, server: SmtpServer) -> None:
        make_deliveries(alice, 3)
        send_all()
        assert len(server.messages) == 3
        assert not SentHour.objects.exists()


def test_a_webhook_gets_each_event_later(alice: User, receiver: Receiver) -> None:
    target, _ = add_webhook(alice, receiver.url)
    ceiling(Channel.WEBHOOK, per_user_an_hour=2)
    for _ in range(3):
        make_target_delivery(target)
    send_all()
    assert states() == {"sent": 2, "pending": 1}
    an_hour_passes()
    send_all()
    assert states() == {"sent": 3}
    assert Delivery.objects.exclude(bundle_size=1).count() == 0


def test_chat_gets_one_message_for_what_comes_up_at_once(alice: User, receiver: Receiver) -> None:
    target = add_chat(
        alice, f"mmost://{receiver.url.removeprefix('http://').strip('/')}/3ccdd113474722377935511fc85d3dd4"
    )
    for _ in range(12):
        make_target_delivery(target)
    send_all()
    assert states() == {"sent": 12}
    (message,) = receiver.requests
    assert "12 jobs failed" in str(message.json())
    assert "and 2 more in your inbox" in str(message.json())


def test_a_few_are_a_chat_message_each(alice: User, receiver: Receiver) -> None:
    target = add_chat(
        alice, f"mmost://{receiver.url.removeprefix('http://').strip('/')}/3ccdd113474722377935511fc85d3dd4"
    )
    for _ in range(3):
        make_target_delivery(target)
    send_all()
    assert len(receiver.requests) == 3
