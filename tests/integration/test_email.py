"""E-mail against a real SMTP server that answers well, badly or not at all."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from notifications.delivery import sender
from notifications.delivery.backoff import MAX_REFUSALS
from notifications.models import DeliveryState
from notifications.tasks import deliver_due
from preferences.models import UserPreference
from tests import smtp
from tests.deliveries import make_deliveries, make_delivery, make_due, reloaded, seconds_until_due
from tests.smtp import SmtpServer


def test_a_batch_goes_out_over_one_connection_and_is_noted_as_sent(server: SmtpServer, alice: User) -> None:
    deliveries = make_deliveries(alice, 5)
    deliver_due()
    assert server.connections == 1
    assert server.recipients == ["alice@example.org"] * 5
    assert sorted(server.counts().values()) == [1] * 5
    for delivery in deliveries:
        settled = reloaded(delivery)
        assert (settled.state, settled.attempts, settled.last_error) == (DeliveryState.SENT, 1, "")
        assert settled.sent_at is not None


def test_the_mail_arrives_as_text_and_html(server: SmtpServer, alice: User) -> None:
    make_delivery(alice, details={"why": "out of GPU memory"})
    deliver_due()
    (message,) = server.messages
    assert str(message["Subject"]).endswith("Failed: resnet50-lr3: out of GPU memory")
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_each_mail_is_in_its_readers_language(server: SmtpServer, alice: User, bob: User) -> None:
    UserPreference.objects.create(user=bob, language="zh-hans")
    make_delivery(bob, details={"why": "out of GPU memory"})
    make_delivery(alice, details={"why": "out of GPU memory"})
    deliver_due()
    subjects = {str(message["To"]): str(message["Subject"]) for message in server.messages}
    assert subjects["bob@example.org"].endswith("失败：resnet50-lr3：GPU 显存不足")
    assert subjects["alice@example.org"].endswith("Failed: resnet50-lr3: out of GPU memory")


def test_more_than_a_batch_is_sent_in_one_run(server: SmtpServer, alice: User) -> None:
    make_deliveries(alice, 25)
    deliver_due()
    assert len(server.messages) == 25
    assert sender.deliver_once() is False


@pytest.mark.parametrize(
    "name", ["", "x\r\nBcc: everyone@example.org", "<img src=x onerror=alert(1)>", "y" * 256]
)
def test_whatever_the_job_is_called_one_mail_reaches_one_person(
    server: SmtpServer, alice: User, name: str
) -> None:
    make_delivery(alice, job_name=name)
    deliver_due()
    (message,) = server.messages
    assert server.recipients == ["alice@example.org"]
    assert message["Bcc"] is None


def test_a_refused_recipient_fails_for_good_with_its_text_and_holds_up_nobody(
    server: SmtpServer, alice: User, bob: User
) -> None:
    before, refused, after = make_delivery(alice), make_delivery(bob), make_delivery(alice)
    server.programme.rcpt = lambda to: "550 5.1.1 No such user here" if to == bob.email else smtp.OK
    deliver_due()
    settled = reloaded(refused)
    assert settled.state == DeliveryState.FAILED
    assert settled.last_error == "The address was refused: 550 5.1.1 No such user here"
    assert reloaded(before).state == reloaded(after).state == DeliveryState.SENT


def test_refused_content_fails_for_good(server: SmtpServer, alice: User) -> None:
    delivery = make_delivery(alice)
    server.programme.after_data = smtp.always("554 5.7.1 Looks like spam")
    deliver_due()
    settled = reloaded(delivery)
    assert settled.state == DeliveryState.FAILED
    assert settled.last_error == "The mail was refused: 554 5.7.1 Looks like spam"


TEMPORARY: list[tuple[str, str, str]] = [
    ("rcpt", "451 4.7.1 Greylisted, come back later", "451 4.7.1 Greylisted"),
    ("rcpt", "421 4.3.2 Shutting down", "421 4.3.2 Shutting down"),
    ("rcpt", smtp.HANG_UP, "unexpectedly closed"),
    ("mail", "452 4.3.1 Out of disk", "452 4.3.1 Out of disk"),
    ("mail", "421 4.3.2 Shutting down", "421 4.3.2 Shutting down"),
    ("data", "451 4.3.0 Not now", "451 4.3.0 Not now"),
    ("data", smtp.HANG_UP, "The connection broke"),
    ("after_data", "452 4.3.1 Out of disk", "452 4.3.1 Out of disk"),
    ("after_data", smtp.HANG_UP, "unexpectedly closed"),
]


@pytest.mark.parametrize(("step", "answer", "error"), TEMPORARY)
def test_a_temporary_answer_is_tried_again_a_minute_later_and_holds_up_nobody(
    server: SmtpServer, alice: User, bob: User, step: str, answer: str, error: str
) -> None:
    first, second = make_delivery(bob), make_delivery(alice)
    told: list[str] = []

    def once(address: str) -> str:
        told.append(address)
        return answer if len(told) == 1 else smtp.OK

    setattr(server.programme, step, once)
    deliver_due()
    settled = reloaded(first)
    assert (settled.state, settled.attempts) == (DeliveryState.RETRY, 1)
    assert error in settled.last_error
    assert 40 <= seconds_until_due(first) <= 75
    assert reloaded(second).state == DeliveryState.SENT

    make_due(first)
    deliver_due()
    settled = reloaded(first)
    assert (settled.state, settled.attempts, settled.last_error) == (DeliveryState.SENT, 2, "")


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "after_data"])
def test_a_server_that_stalls_is_left_after_the_timeout(
    server: SmtpServer, alice: User, settings: Settings, step: str
) -> None:
    settings.EMAIL_TIMEOUT = 0.5
    delivery = make_delivery(alice)
    setattr(server.programme, step, smtp.always(smtp.STALL))
    deliver_due()
    settled = reloaded(delivery)
    assert settled.state == DeliveryState.RETRY
    assert "timed out" in settled.last_error


def test_a_server_that_hangs_up_after_each_mail_costs_no_attempts(server: SmtpServer, alice: User) -> None:
    deliveries = make_deliveries(alice, 3)
    server.programme.after_data = smtp.always(smtp.TAKE_AND_HANG_UP)
    deliver_due()
    assert [reloaded(delivery).state for delivery in deliveries] == [DeliveryState.SENT] * 3
    assert server.connections == 3


def test_the_last_of_many_temporary_answers_is_final(server: SmtpServer, alice: User) -> None:
    delivery = make_delivery(alice)
    server.programme.rcpt = smtp.always("451 still full")
    for _ in range(MAX_REFUSALS - 1):
        deliver_due()
        assert reloaded(delivery).state == DeliveryState.RETRY
        make_due(delivery)
    deliver_due()
    settled = reloaded(delivery)
    assert (settled.state, settled.attempts) == (DeliveryState.FAILED, MAX_REFUSALS)
    assert "451 still full" in settled.last_error


@pytest.mark.parametrize(
    "address", ["no-at-sign", "a@b\r\nBcc: c@example.org", "a@x.org, b@x.org", f"a@{'x' * 200}.org"]
)
def test_an_unusable_address_fails_for_good(server: SmtpServer, alice: User, address: str) -> None:
    User.objects.filter(id=alice.id).update(email=address)
    delivery, other = (
        make_delivery(alice),
        make_delivery(User.objects.create_user("carol", "carol@example.org")),
    )
    server.programme.rcpt = lambda to: smtp.OK if to == "carol@example.org" else "550 unknown"
    deliver_due()
    settled = reloaded(delivery)
    assert settled.state == DeliveryState.FAILED
    assert settled.last_error
    assert reloaded(other).state == DeliveryState.SENT
