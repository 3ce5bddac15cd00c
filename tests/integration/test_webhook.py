"""Webhooks: what a user's server gets, and what its answers lead to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from notifications import own_targets
from notifications.delivery import sender
from notifications.delivery.backoff import Breaker
from notifications.delivery.webhook import signature
from notifications.models import Delivery
from preferences import targets
from preferences.encryption import decrypt
from preferences.kinds import Channel
from preferences.models import ChannelPolicy, Target
from preferences.targets import TargetRefused
from tests.clients import client_of
from tests.deliveries import make_due, reloaded, seconds_until_due
from tests.receiver import Receiver, Request
from tests.targets import add_webhook, make_target_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("breaker")]


def is_signed(request: Request, key: str) -> bool:
    """As a receiver checks it, with nothing but the standard's text."""
    signed = (
        f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    )
    right = hmac.new(base64.b64decode(key.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return request.headers["webhook-signature"] == "v1," + base64.b64encode(right).decode()


def reloaded_target(target: Target) -> Target:
    return Target.objects.get(pk=target.pk)


def test_the_signature_of_the_standards_own_example() -> None:
    """From the specification at standardwebhooks.com."""
    headers = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_notification_as_rest_shows_it_signed(alice: User, receiver: Receiver) -> None:
    target, key = add_webhook(alice, receiver.url + "/hook?token=1")
    delivery = make_target_delivery(target, job_name="bert <b>&\r\nx", details={"exit_code": 137})
    sender.deliver_once()
    assert reloaded(delivery).state == "sent"
    (request,) = receiver.requests
    assert request.path == "/hook?token=1"
    assert request.headers["Content-Type"] == "application/json"
    assert is_signed(request, key)
    notification = delivery.notification_id
    assert request.json() == client_of(alice).get(f"/api/v1/notifications/{notification}/").json()
    assert reloaded_target(target).last_ok_at is not None


def test_every_attempt_has_the_same_id(alice: User, receiver: Receiver) -> None:
    target, _ = add_webhook(alice, receiver.url)
    delivery = make_target_delivery(target)
    receiver.status = 503
    sender.deliver_once()
    receiver.status = 204
    Target.objects.update(resting_until=None)
    make_due(delivery)
    sender.deliver_once()
    assert reloaded(delivery).state == "sent"
    first, second = (request.headers["webhook-id"] for request in receiver.requests)
    assert first == second


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, "sent"), (202, "sent"), (204, "sent"), (301, "failed"), (400, "failed"), (401, "failed"),
        (404, "failed"), (408, "retry"), (410, "failed"), (429, "retry"), (500, "retry"), (503, "retry"),
    ],
)  # fmt: skip
def test_what_each_answer_leads_to(alice: User, receiver: Receiver, status: int, state: str) -> None:
    target, _ = add_webhook(alice, receiver.url)
    delivery = make_target_delivery(target)
    receiver.status = status
    sender.deliver_once()
    after = reloaded(delivery)
    assert after.state == state
    assert (str(status) in after.last_error) is (state != "sent")
    assert reloaded_target(target).last_error == after.last_error


def test_410_switches_the_target_off_until_a_test_arrives(alice: User, receiver: Receiver) -> None:
    target, _ = add_webhook(alice, receiver.url)
    first, second = make_target_delivery(target), make_target_delivery(target)
    receiver.status = 410
    sender.deliver_once()
    assert [reloaded(one).state for one in (first, second)] == ["failed", "dropped"]
    assert "switched off" in reloaded(second).last_error
    assert len(receiver.requests) == 1
    assert reloaded_target(target).disabled_at is not None
    receiver.status = 200
    assert own_targets.send_test(target) == ""
    assert reloaded_target(target).disabled_at is None
    third = make_target_delivery(target)
    sender.deliver_once()
    assert reloaded(third).state == "sent"


def test_retry_after_is_kept_to(alice: User, receiver: Receiver) -> None:
    target, _ = add_webhook(alice, receiver.url)
    delivery = make_target_delivery(target)
    receiver.status, receiver.headers = 429, {"Retry-After": "7200"}
    sender.deliver_once()
    assert 7000 < seconds_until_due(delivery) <= 7200


def test_a_target_that_fails_rests_and_uses_up_nothing(
    alice: User, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One attempt tells that it is away; the others wait for it without being tried."""
    monkeypatch.setattr("notifications.delivery.webhook.TOTAL_SECONDS", 2.0)
    target, _ = add_webhook(alice, receiver.url)
    deliveries = [make_target_delivery(target) for _ in range(5)]
    receiver.answer = receiver.stall
    sender.deliver_once()
    assert len(receiver.requests) == 1
    assert [reloaded(one).state for one in deliveries] == ["retry", *["pending"] * 4]
    assert [reloaded(one).refusals for one in deliveries] == [1, 0, 0, 0, 0]
    assert [reloaded(one).attempts for one in deliveries] == [1, 0, 0, 0, 0]
    assert seconds_until_due(deliveries[4]) > 20
    assert "no complete answer" in reloaded_target(target).last_error


def test_after_a_day_of_silence_it_is_switched_off(alice: User, receiver: Receiver) -> None:
    target, _ = add_webhook(alice, receiver.url)
    receiver.status = 500
    make_target_delivery(target)
    sender.deliver_once()
    assert reloaded_target(target).disabled_at is None
    Target.objects.update(failing_since=timezone.now() - timedelta(hours=25), resting_until=None)
    make_target_delivery(target)
    sender.deliver_once()
    after = reloaded_target(target)
    assert after.disabled_at is not None
    assert after.last_error == f"{targets.GIVEN_UP} The other side answered 500."


def test_rests_grow_and_end(alice: User) -> None:
    target, _ = add_webhook(alice, "https://example.org/")
    rests = []
    for hours in (0, 0.1, 0.5, 5):
        Target.objects.update(failing_since=timezone.now() - timedelta(hours=hours))
        targets.failing(target.pk, "away")
        until = reloaded_target(target).resting_until
        assert until is not None
        rests.append(round((until - timezone.now()).total_seconds(), -1))
    assert rests == [30, 180, 900, 1800]
    targets.arrived(target.pk)
    assert reloaded_target(target).resting_until is None
    assert reloaded_target(target).failing_since is None


def test_what_has_no_target_any_more_is_dropped(alice: User, receiver: Receiver) -> None:
    target, _ = add_webhook(alice, receiver.url)
    delivery = make_target_delivery(target)
    targets.remove(target)
    sender.deliver_once()
    assert reloaded(delivery).state == "dropped"
    assert "removed" in reloaded(delivery).last_error
    assert receiver.requests == []


def test_a_channel_that_the_admin_switches_off_drops_what_waits(alice: User, receiver: Receiver) -> None:
    target, _ = add_webhook(alice, receiver.url)
    delivery = make_target_delivery(target)
    ChannelPolicy.objects.update(enabled=False)
    sender.deliver_once()
    assert reloaded(delivery).state == "dropped"
    assert own_targets.send_test(target) == "The administrator has switched this channel off."
    ChannelPolicy.objects.all().delete()
    with pytest.raises(TargetRefused, match="switched this channel off"):
        own_targets.add(user=alice, channel=Channel.WEBHOOK, name="x", address=receiver.url)
    assert receiver.requests == []


def test_an_address_inside_is_refused_when_it_is_connected_to(alice: User, closed_receiver: Receiver) -> None:
    target, _ = add_webhook(alice, f"https://localhost:{closed_receiver.port}/")
    delivery = make_target_delivery(target)
    sender.deliver_once()
    assert reloaded(delivery).state == "failed"
    assert "inside the network" in reloaded(delivery).last_error
    assert closed_receiver.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "", "example.org/hook", "ftp://example.org/", "file:///etc/passwd", "https://", "https:///hook",
        "https://user:password@example.org/", "https://example.org:notaport/", "https://exa mple.org/",
        "javascript:alert(1)", "https://example.org/\r\nX: y", "https://" + "a" * 3000 + ".org/", "https://[::1/",
    ],
)  # fmt: skip
def test_addresses_that_are_none(alice: User, address: str) -> None:
    with pytest.raises(TargetRefused):
        add_webhook(alice, address)
    assert not Target.objects.exists()


def test_nothing_readable_is_stored_and_nothing_is_shown_again(alice: User) -> None:
    target, key = add_webhook(alice, "https://hooks.example.org:8443/secret-path")
    assert key.startswith("whsec_")
    assert len(base64.b64decode(key.removeprefix("whsec_"))) >= 24
    assert json.loads(decrypt(target.secret))["url"] == "https://hooks.example.org:8443/secret-path"
    stored = Target.objects.values().get()
    assert "secret-path" not in str(stored)
    assert key not in str(stored)
    assert stored["hint"] == "hooks.example.org:8443"
    shown = client_of(alice).get("/api/v1/targets/").content + client_of(alice).get("/profile/").content
    assert b"hooks.example.org:8443" in shown
    assert b"secret-path" not in shown
    assert key.encode() not in shown


def test_a_lost_key_puts_off_and_says_so(alice: User, receiver: Receiver, settings: Settings) -> None:
    target, _ = add_webhook(alice, receiver.url)
    delivery = make_target_delivery(target)
    settings.SECRET_KEY = "another"
    sender.deliver_once()
    assert reloaded(delivery).state == "retry"
    assert "encryption key" in reloaded(delivery).last_error


def test_a_stranger_gets_nowhere(alice: User, bob: User, receiver: Receiver) -> None:
    target, _ = add_webhook(alice, receiver.url)
    stranger: Client = client_of(bob)
    for url in (f"/api/v1/targets/{target.pk}/test/", f"/profile/targets/{target.pk}/test/"):
        assert stranger.post(url).status_code == 404
    assert stranger.post(f"/profile/targets/{target.pk}/remove/").status_code == 404
    assert stranger.delete(f"/api/v1/targets/{target.pk}/").status_code == 404
    assert stranger.get("/api/v1/targets/").json() == []
    assert receiver.requests == []
    assert Delivery.objects.count() == 0


def test_no_text_of_a_log_shows_the_address(
    alice: User, receiver: Receiver, breaker: Breaker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    target, key = add_webhook(alice, receiver.url + "/secret-path")
    make_target_delivery(target)
    receiver.status = 500
    sender.deliver_once()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("notif", "pref"))]
    assert ours
    assert not any("secret-path" in line or key in line for line in ours)
