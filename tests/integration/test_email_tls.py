"""E-mail over TLS: from the first byte on, or by STARTTLS; and handshakes that lead nowhere."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from notifications.delivery.backoff import Breaker
from notifications.models import DeliveryState
from notifications.tasks import deliver_due
from preferences.models import ChannelPolicy
from tests import smtp
from tests.deliveries import make_delivery, reloaded
from tests.misbehaving_smtp import MisbehavingServer, say, silence
from tests.smtp import SmtpServer
from tests.tls import Certificate, certificate

pytestmark = pytest.mark.usefixtures("breaker")


@pytest.fixture
def own(tmp_path: Path) -> Certificate:
    return certificate(tmp_path, "localhost")


def context_of(own: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.chain)
    return context


@pytest.mark.parametrize(("kind", "setting"), [("tls", "EMAIL_USE_SSL"), ("starttls", "EMAIL_USE_TLS")])
@pytest.mark.parametrize("trusted", [True, False])
def test_mails_go_out_to_a_server_that_is_who_it_says(
    settings: Settings,
    alice: User,
    own: Certificate,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    setting: str,
    trusted: bool,
) -> None:
    options: dict[str, Any] = {kind: context_of(own)}
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(own.authority))
    delivery = make_delivery(alice)
    with SmtpServer(**options) as server:
        smtp.use(settings, server)
        settings.EMAIL_HOST = "localhost"  # has several addresses; the first one may answer nothing
        setattr(settings, setting, True)
        deliver_due()
        settled = reloaded(delivery)
        assert len(server.messages) == trusted
    assert settled.state == (DeliveryState.SENT if trusted else DeliveryState.RETRY)
    assert trusted or ("CERTIFICATE_VERIFY_FAILED" in settled.last_error and settled.attempts == 0)


def drip_a_record(connection: socket.socket, stopped: threading.Event) -> None:
    """The beginning of a long TLS record, then a byte now and then."""
    connection.sendall(b"\x16\x03\x03\x40\x00")
    while not stopped.wait(0.05):
        connection.sendall(b"\x00")


@pytest.mark.parametrize("does", [silence, drip_a_record])
def test_a_handshake_without_end_is_left(
    settings: Settings, alice: User, breaker: Breaker, does: Any
) -> None:
    settings.EMAIL_TIMEOUT, settings.DELIVERY_LEASE_SECONDS, settings.EMAIL_USE_SSL = 1, 4, True
    delivery = make_delivery(alice)
    with MisbehavingServer({"greeting": does}) as server:
        server.use(settings)
        deliver_due()
    settled = reloaded(delivery)
    assert (settled.state, settled.attempts) == (DeliveryState.RETRY, 0)
    assert "timed out" in settled.last_error
    assert breaker.resting(["email"])


def test_a_server_without_the_encryption_that_was_asked_for_is_for_the_admins(
    settings: Settings, alice: User
) -> None:
    settings.EMAIL_USE_TLS = True
    delivery = make_delivery(alice)
    with MisbehavingServer({}) as server:
        server.use(settings)
        deliver_due()
    assert "does not offer what EMAIL_URL asks for" in reloaded(delivery).last_error
    assert ChannelPolicy.objects.get().paused


def test_starttls_that_is_refused(settings: Settings, alice: User) -> None:
    settings.EMAIL_USE_TLS = True
    delivery = make_delivery(alice)
    offered = say("250-mail.example.org\r\n250 STARTTLS")
    with MisbehavingServer({"EHLO": offered, "STAR": say("454 4.7.0 no certificate today")}) as server:
        server.use(settings)
        deliver_due()
    settled = reloaded(delivery)
    assert (settled.state, settled.attempts) == (DeliveryState.RETRY, 0)
    assert "454 4.7.0" in settled.last_error
