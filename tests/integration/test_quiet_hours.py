"""What was put off comes up in quiet hours: it waits for their end, and nobody is woken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from notifications.models import Delivery
from notifications.tasks import deliver_due
from preferences.models import UserPreference
from tests.bundles import BUNDLED, SENT, bundle, states
from tests.deliveries import make_delivery, reloaded
from tests.receiver import Receiver
from tests.smtp import SmtpServer
from tests.targets import add_webhook, make_target_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("breaker")]

HOUR = timedelta(hours=1)
NIGHT_ENDS = (datetime.now(UTC) + HOUR).replace(microsecond=0)


def at_night(user: User, **choices: Any) -> None:
    began = NIGHT_ENDS - 2 * HOUR
    UserPreference.objects.create(
        user=user, quiet_from=began.time(), quiet_until=NIGHT_ENDS.time(), **choices
    )


def test_a_mail_that_was_put_off_waits_for_the_morning(server: SmtpServer, alice: User) -> None:
    at_night(alice)
    put_off = make_delivery(alice)
    Delivery.objects.update(state="retry", attempts=2, refusals=2)
    make_delivery(alice)
    deliver_due()
    assert not server.messages
    assert server.connections == 0
    waiting = Delivery.objects.values_list("state", "due_at", "planned_at", "attempts")
    assert set(waiting) == {(BUNDLED, NIGHT_ENDS, NIGHT_ENDS, 2), (BUNDLED, NIGHT_ENDS, NIGHT_ENDS, 0)}
    assert reloaded(put_off).refusals == 2

    UserPreference.objects.update(quiet_from=None)
    Delivery.objects.update(due_at=put_off.due_at)
    deliver_due()
    assert [str(mail["Subject"]) for mail in server.messages] == ["[cluster] 2 jobs failed"]


def test_a_bundle_waits_with_all_it_holds(server: SmtpServer, alice: User) -> None:
    at_night(alice)
    bundle(alice, 3)
    deliver_due()
    assert not server.messages
    assert set(Delivery.objects.values_list("state", "bundle", "due_at")) == {(BUNDLED, None, NIGHT_ENDS)}


@pytest.mark.parametrize(("event", "goes"), [("failed", True), ("stopped", False)])
def test_failures_pass_for_who_wants_that(server: SmtpServer, alice: User, event: str, goes: bool) -> None:
    at_night(alice, failures_pass_quiet=True)
    make_delivery(alice, event=event)
    deliver_due()
    assert bool(server.messages) is goes


@pytest.mark.parametrize(("event", "goes"), [("failed", True), ("stopped", False)])
def test_a_bundle_with_a_failure_passes(server: SmtpServer, alice: User, event: str, goes: bool) -> None:
    at_night(alice, failures_pass_quiet=True)
    for one in ("succeeded", "stopped", event):
        make_delivery(alice, event=one)
    Delivery.objects.update(state=BUNDLED)
    deliver_due()
    assert bool(server.messages) is goes


def test_others_are_told_at_once(server: SmtpServer, alice: User, bob: User) -> None:
    at_night(alice)
    make_delivery(bob)
    deliver_due()
    assert states() == {SENT: 1}


def test_a_program_does_not_sleep(alice: User, receiver: Receiver) -> None:
    at_night(alice)
    target, _ = add_webhook(alice, receiver.url)
    make_target_delivery(target)
    deliver_due()
    assert len(receiver.requests) == 1
