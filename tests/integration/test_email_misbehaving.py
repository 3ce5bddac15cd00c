"""What each way to misbehave means for the mail, for its address, and for all mails; and that none lasts long."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from notifications.delivery import sender
from notifications.delivery.backoff import Breaker
from notifications.models import DeliveryState
from preferences.models import ChannelPolicy
from tests.deliveries import make_delivery, make_due, reloaded
from tests.misbehaving_smtp import (
    Does,
    MisbehavingServer,
    drip,
    flood,
    hang_up,
    long_line,
    reset,
    say,
    silence,
    then,
)

pytestmark = pytest.mark.usefixtures("breaker")

SOON = (DeliveryState.RETRY, 1, False, False)
"""Put off by its own pause: a chance is used up, the others go on."""
STALLED = (DeliveryState.RETRY, 1, True, False)
"""The same, and the channel rests: a worker is worth more than one mail."""
DOWN = (DeliveryState.RETRY, 0, True, False)
"""The channel rests, and no chance is used up."""
BROKEN = (DeliveryState.RETRY, 0, False, True)
"""The channel pauses until somebody mends something, and no chance is used up."""
FAILED = (DeliveryState.FAILED, 0, False, False)

POSTFIX = "553 5.7.1 <notifcenter@localhost>: Sender address rejected: not owned by user"
QUOTED = (
    "550 5.1.1 <a@example.org>: Recipient address rejected: undeliverable address: host mx.example.org said: "
    "553 5.1.8 <notifcenter@localhost>: Sender address rejected: Domain not found"
)

CASES: dict[str, tuple[str, Does, Any, str]] = {
    "greeting: silence": ("greeting", silence, DOWN, "timed out"),
    "greeting: a byte now and then": ("greeting", drip, DOWN, "unexpectedly closed"),
    "greeting: lines without end": ("greeting", flood, DOWN, "too long"),
    "greeting: hangs up": ("greeting", hang_up, DOWN, "closed"),
    "greeting: dies": ("greeting", reset, DOWN, "cannot be used"),
    "greeting: nonsense": ("greeting", say("HTTP/1.1 400 Bad Request"), DOWN, "cannot be used"),
    "greeting: busy": ("greeting", say("421 4.3.2 too busy"), DOWN, "421 4.3.2 too busy"),
    "greeting: not for us": ("greeting", say("554 5.7.1 you are on a list"), BROKEN, "refuses us: 554 5.7.1"),
    "EHLO: hangs up": ("EHLO", hang_up, DOWN, "closed"),
    "EHLO: lines without end": ("EHLO", flood, DOWN, "too long"),
    "AUTH: wrong password": ("AUTH", say("535 5.7.8 wrong"), BROKEN, "refuses our login: 535 5.7.8 wrong"),
    "AUTH: not now": ("AUTH", say("454 4.7.0 not now"), DOWN, "454 4.7.0 not now"),
    "AUTH: nonsense": ("AUTH", say("yes?"), DOWN, "-1"),
    "AUTH: hangs up": ("AUTH", hang_up, DOWN, "closed"),
    "MAIL: full": ("MAIL", say("452 4.3.1 full"), SOON, "452 4.3.1 full"),
    "MAIL: shutting down": ("MAIL", say("421 4.3.2 later"), SOON, "421 4.3.2 later"),
    "MAIL: sender refused": ("MAIL", say("553 5.7.1 not yours"), BROKEN, "refuses our sender address: 553"),
    "MAIL: login needed": ("MAIL", say("530 5.7.0 who are you?"), BROKEN, "530 5.7.0 who are you?"),
    "MAIL: quota": ("MAIL", say("550 5.4.5 daily quota exceeded"), BROKEN, "550 5.4.5 daily quota"),
    "MAIL: too large": ("MAIL", say("552 5.3.4 too large"), FAILED, "552 5.3.4 too large"),
    "MAIL: nonsense": ("MAIL", say("999 maybe"), SOON, "makes no sense: 999 maybe"),
    "MAIL: a byte now and then": ("MAIL", drip, STALLED, "took too long"),
    "RCPT: greylisted": ("RCPT", say("450 4.2.0 greylisted"), SOON, "450 4.2.0 greylisted"),
    "RCPT: unknown": ("RCPT", say("550 5.1.1 no such user"), FAILED, "address was refused: 550 5.1.1"),
    "RCPT: full": ("RCPT", say("552 5.2.2 mailbox full"), FAILED, "address was refused: 552 5.2.2"),
    "RCPT: Postfix on the sender": ("RCPT", say(POSTFIX), BROKEN, "refuses us: 553 5.7.1"),
    "RCPT: a foreign server quoted": ("RCPT", say(QUOTED), FAILED, "address was refused: 550 5.1.1"),
    "RCPT: sender's domain": ("RCPT", say("550 5.1.8 bad domain"), BROKEN, "550 5.1.8 bad domain"),
    "RCPT: no code": ("RCPT", say("certainly"), SOON, "makes no sense: -1"),
    "RCPT: a line too long": ("RCPT", long_line, SOON, "too long"),
    "RCPT: hangs up": ("RCPT", hang_up, SOON, "The connection broke"),
    "DATA: not now": ("DATA", say("451 4.3.0 not now"), SOON, "451 4.3.0 not now"),
    "DATA: refused": ("DATA", say("554 5.5.1 no valid recipients"), FAILED, "554 5.5.1"),
    "DATA: nonsense": ("DATA", say("250 fine, thanks"), SOON, "makes no sense: 250 fine"),
    "mail: spam": ("mail", say("554 5.7.1 looks like spam"), FAILED, "The mail was refused: 554 5.7.1"),
    "mail: mailbox gone": ("mail", say("550 5.1.1 no such user"), FAILED, "The address was refused: 550"),
    "mail: may not send as this": ("mail", say("550 5.7.60 SendAsDenied"), BROKEN, "550 5.7.60"),
    "mail: out of disk": ("mail", say("452 4.3.1 out of disk"), SOON, "452 4.3.1 out of disk"),
    "mail: silence": ("mail", silence, STALLED, "took too long"),
    "mail: lines without end": ("mail", flood, SOON, "too long"),
    "mail: dies": ("mail", reset, SOON, "The connection broke"),
}


@pytest.fixture(autouse=True)
def _short_bounds(settings: Settings) -> None:
    settings.EMAIL_TIMEOUT, settings.DELIVERY_LEASE_SECONDS = 1, 4
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "notifcenter", "a-secret"


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_what_it_means(
    settings: Settings,
    alice: User,
    breaker: Breaker,
    name: str,
    pipelining: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    step, does, outcome, error = CASES[name]
    delivery = make_delivery(alice)
    with MisbehavingServer({step: does}, pipelining=pipelining) as server:
        server.use(settings)
        sender.deliver_once()
    settled = reloaded(delivery)
    paused = ChannelPolicy.objects.filter(channel="email", paused=True).exists()
    rests = bool(breaker.resting(["email"]))
    assert (settled.state, settled.refusals, rests, paused) == outcome, settled.last_error
    assert error in settled.last_error
    assert "a-secret" not in caplog.text + settled.last_error


def test_a_server_that_dies_in_the_middle_of_a_mail(settings: Settings, alice: User) -> None:
    delivery = make_delivery(alice)
    with MisbehavingServer({}, cuts_mails=True) as server:
        server.use(settings)
        sender.deliver_once()
        assert reloaded(delivery).state == DeliveryState.RETRY
        server.cuts_mails = False
        make_due(delivery)
        sender.deliver_once()
        assert reloaded(delivery).state == DeliveryState.SENT


def test_a_server_that_takes_a_mail_and_dies_has_taken_it(settings: Settings, alice: User) -> None:
    deliveries = [make_delivery(alice) for _ in range(3)]
    with MisbehavingServer({"mail": then(say("250 taken"), reset)}) as server:
        server.use(settings)
        sender.deliver_once()
        assert [reloaded(delivery).state for delivery in deliveries] == [DeliveryState.SENT] * 3
        assert len(server.mails) == 3


def test_the_last_word_is_not_waited_for(settings: Settings, alice: User) -> None:
    delivery = make_delivery(alice)
    with MisbehavingServer({"QUIT": drip}) as server:
        server.use(settings)
        sender.deliver_once()
    assert reloaded(delivery).state == DeliveryState.SENT


def test_each_attempt_has_the_same_message_id(settings: Settings, alice: User) -> None:
    delivery, other = make_delivery(alice), make_delivery(alice)
    with MisbehavingServer({"mail": say("451 4.3.0 later")}) as server:
        server.use(settings)
        for _ in range(2):
            sender.deliver_once()
            make_due(delivery, other)
        del server.does["mail"]
        sender.deliver_once()
    ids = [line for mail in server.mails for line in mail.splitlines() if line.startswith(b"Message-ID:")]
    assert len(ids) == 6
    assert {ids.count(one) for one in ids} == {3}


@pytest.mark.parametrize("does", [hang_up, reset, then(say("421 4.4.2 idle for too long"), hang_up), silence])
def test_a_connection_that_is_no_longer_good_costs_no_mail_a_chance(
    settings: Settings, alice: User, does: Does
) -> None:
    """Pipelining: the answer to RSET comes when the mail has been begun already."""
    deliveries = [make_delivery(alice) for _ in range(3)]
    with MisbehavingServer({"RSET": does}) as server:
        server.use(settings)
        sender.deliver_once()
        assert [reloaded(delivery).refusals for delivery in deliveries] == [0, 0, 0]
        assert [reloaded(delivery).state for delivery in deliveries] == [DeliveryState.SENT] * 3
        assert (len(server.mails), server.connections) == (3, 3)


def test_a_server_that_takes_a_mail_for_nobody_gets_an_empty_one_and_is_used_on(
    settings: Settings, alice: User
) -> None:
    """Pipelining: DATA was on its way when it refused the recipient, and it waits for the mail's end."""
    deliveries = [make_delivery(alice) for _ in range(2)]
    answers = iter([say("550 5.1.1 no such user"), say("250 OK")])
    with MisbehavingServer({"RCPT": lambda *about: next(answers)(*about)}) as server:
        server.use(settings)
        sender.deliver_once()
        assert [reloaded(delivery).state for delivery in deliveries] == ["failed", "sent"]
        assert [bool(mail) for mail in server.mails] == [False, True]
        assert server.connections == 1
