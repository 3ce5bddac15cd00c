"""What is posted to an Alertmanager, and what becomes of it when that is old, broken or choosy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from notifications.delivery import sender
from notifications.delivery.alertmanager import alert_of
from notifications.delivery.backoff import Breaker
from notifications.models import Delivery
from preferences.kinds import Channel
from preferences.models import ChannelPolicy
from tests.alertmanager import FakeAlertmanager, fake_alertmanager
from tests.cluster import asking, submit, update
from tests.deliveries import make_delivery, reloaded
from tests.pollers import drain

pytestmark = pytest.mark.django_db


def due(user: User, count: int = 1, **values: object) -> list[Delivery]:
    made = [make_delivery(user, job_name=f"job-{number}", **values) for number in range(count)]
    for one in made:
        one.channel = Channel.ALERTMANAGER
        one.save()
    return made


def send(settings: Settings, fake: FakeAlertmanager) -> None:
    settings.ALERTMANAGER_URL = fake.url
    sender.deliver_once()


def states(deliveries: list[Delivery]) -> list[str]:
    return [reloaded(one).state for one in deliveries]


def test_a_batch_goes_out_as_one_request(settings: Settings, breaker: Breaker, alice: User) -> None:
    deliveries = due(alice, 7)
    with fake_alertmanager(v2=[200]) as fake:
        send(settings, fake)
    assert [(answer, len(alerts)) for answer, alerts in fake.posted] == [("v2 200", 7)]
    assert states(deliveries) == ["sent"] * 7


@pytest.mark.parametrize("absent", [404, 405, 410])
def test_an_old_one_gets_it_by_its_own_interface(
    settings: Settings, breaker: Breaker, alice: User, absent: int
) -> None:
    deliveries = due(alice, 2)
    with fake_alertmanager(v2=[absent], v1=[200]) as fake:
        send(settings, fake)
    assert [answer for answer, _ in fake.posted] == [f"v2 {absent}", "v1 200"]
    assert fake.posted[0][1] == fake.posted[1][1]
    assert states(deliveries) == ["sent"] * 2


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ({"v2": [503]}, "cannot take alerts now: 503"),
        ({"v2": [429]}, "cannot take alerts now: 429"),
        ({"v2": [404], "v1": [500]}, "cannot take alerts now: 500"),
        ({"v2": [404], "v1": [410]}, "There is no Alertmanager at ALERTMANAGER_URL"),
    ],
)
def test_one_that_cannot_take_it_now_gets_it_later_and_no_chance_is_used_up(
    settings: Settings, breaker: Breaker, alice: User, codes: dict[str, list[int]], said: str
) -> None:
    deliveries = due(alice, 3)
    with fake_alertmanager(**codes) as fake:
        send(settings, fake)
    for one in map(reloaded, deliveries):
        assert (one.state, one.attempts, one.refusals) == ("retry", 0, 0)
        assert said in one.last_error
    assert breaker.resting([Channel.ALERTMANAGER, Channel.EMAIL]) == [Channel.ALERTMANAGER]


def test_a_refused_batch_is_posted_one_by_one_and_only_the_bad_one_fails(
    settings: Settings, breaker: Breaker, alice: User
) -> None:
    deliveries = due(alice, 3)
    with fake_alertmanager(v2=[400, 200, 400, 200]) as fake:
        send(settings, fake)
    assert [len(alerts) for _, alerts in fake.posted] == [3, 1, 1, 1]
    assert states(deliveries) == ["sent", "failed", "sent"]
    assert reloaded(deliveries[1]).last_error == 'Alertmanager refused the alert: 400 "no such thing"'


def test_a_clock_ahead_of_alertmanagers_makes_no_alert_of_the_future(alice: User) -> None:
    [one] = due(alice, occurred_at=timezone.now() + timedelta(hours=1))
    assert alert_of(one)["startsAt"] <= timezone.now().isoformat()


@pytest.mark.parametrize(
    ("url", "policy", "channels"),
    [
        ("http://127.0.0.1:9093", None, ["alertmanager", "email"]),
        ("http://127.0.0.1:9093", False, ["email"]),
        ("", True, ["email"]),
    ],
    ids=["an address is enough", "the admin has switched it off", "without an address it is off"],
)
def test_when_the_cluster_is_told(
    settings: Settings, alice: User, url: str, policy: bool | None, channels: list[str]
) -> None:
    settings.ALERTMANAGER_URL = url
    if policy is not None:
        ChannelPolicy.objects.create(channel=Channel.ALERTMANAGER, enabled=policy)
    update(submit(**asking("Failed")), state="FAILED")
    drain()
    assert list(Delivery.objects.order_by("channel").values_list("channel", flat=True)) == channels


def test_switched_off_meanwhile_it_is_dropped(settings: Settings, breaker: Breaker, alice: User) -> None:
    [one] = due(alice)
    ChannelPolicy.objects.create(channel=Channel.ALERTMANAGER, enabled=False)
    sender.deliver_once()
    assert reloaded(one).state == "dropped"
