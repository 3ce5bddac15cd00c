"""A mail server that nothing can be sent through: no delivery's attempt is used up."""

from __future__ import annotations

import logging
import socket

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from notifications.delivery.backoff import Breaker
from notifications.models import Delivery, DeliveryState
from notifications.tasks import deliver_due
from tests import smtp
from tests.deliveries import make_deliveries, make_delivery, make_due, reloaded
from tests.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("breaker")


def test_a_server_that_is_away_uses_up_no_attempts_and_is_not_asked_again_at_once(
    settings: Settings, alice: User, breaker: Breaker, caplog: pytest.LogCaptureFixture
) -> None:
    with SmtpServer() as gone:
        smtp.use(settings, gone)
    deliveries = make_deliveries(alice, 3)
    for _ in range(5):
        deliver_due()
    for delivery in deliveries:
        settled = reloaded(delivery)
        assert (settled.state, settled.attempts) == (DeliveryState.RETRY, 0)
        assert "refused" in settled.last_error
    assert [record.levelname for record in caplog.records if "channel down" in record.message] == ["ERROR"]

    with SmtpServer(port=gone.port) as back:
        make_due(*deliveries)
        breaker.closed("email")  # the rest is over
        deliver_due()
        assert len(back.messages) == 3


@pytest.mark.parametrize("greeting_stalls", [True, False])
def test_a_server_that_does_not_talk_is_down(settings: Settings, alice: User, greeting_stalls: bool) -> None:
    settings.EMAIL_TIMEOUT = 0.5
    with socket.create_server(("127.0.0.1", 0)) as mute, SmtpServer() as place:
        place.port = mute.getsockname()[1]
        smtp.use(settings, place)
        if not greeting_stalls:
            mute.close()
        delivery = make_delivery(alice)
        deliver_due()
    settled = reloaded(delivery)
    assert (settled.state, settled.attempts) == (DeliveryState.RETRY, 0)
    assert settled.last_error.startswith("The mail server cannot be used:")


def test_a_refused_login_uses_up_no_attempts_and_logs_one_line_without_the_password(
    settings: Settings, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    deliveries = make_deliveries(alice, 12)
    with SmtpServer(login=("notifcenter", "right")) as server:
        smtp.use(settings, server)
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "notifcenter", "wrong-secret"
        deliver_due()
    tried = Delivery.objects.filter(id__in=[d.id for d in deliveries], state=DeliveryState.RETRY)
    assert {delivery.attempts for delivery in tried} == {0}
    assert all(delivery.last_error.startswith("The mail server refuses our login: 535") for delivery in tried)
    (record,) = [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name.startswith("notif")
    ]
    assert "refuses our login" in record.getMessage()
    assert "wrong-secret" not in caplog.text


def test_a_login_that_is_right_sends(settings: Settings, alice: User) -> None:
    delivery = make_delivery(alice)
    with SmtpServer(login=("notifcenter", "right")) as server:
        smtp.use(settings, server)
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "notifcenter", "right"
        deliver_due()
    assert reloaded(delivery).state == DeliveryState.SENT


def test_a_refused_sender_is_our_fault_and_not_the_deliverys(server: SmtpServer, alice: User) -> None:
    deliveries = make_deliveries(alice, 3)
    server.programme.mail = smtp.always("553 5.7.1 Sender not allowed")
    deliver_due()
    for delivery in deliveries:
        settled = reloaded(delivery)
        assert (settled.state, settled.attempts) == (DeliveryState.RETRY, 0)
        assert "refuses our sender address: 553" in settled.last_error


def test_without_a_mail_server_nothing_is_noted_as_sent(settings: Settings, alice: User) -> None:
    settings.EMAIL_CONFIGURED = False
    delivery = make_delivery(alice)
    deliver_due()
    settled = reloaded(delivery)
    assert (settled.state, settled.attempts) == (DeliveryState.RETRY, 0)
    assert "EMAIL_URL" in settled.last_error
