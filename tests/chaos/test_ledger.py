"""The ledger itself finds what it is there for: one fault put in by hand, one found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from pytest_django import Settings

from notifications.delivery import sender
from notifications.delivery.backoff import Breaker
from notifications.models import Delivery, Notification
from notifications.tasks import deliver_due
from tests import smtp
from tests.chaos.ledger import TOLD, Told
from tests.chaos.mail_server import MailServer
from tests.chaos.mails import Clock, Mails
from tests.cluster import framework_name
from tests.deliveries import make_delivery

JOBS = [("job-1", "alice"), ("job-2", "alice")]
NONE = Told(expected=len(JOBS) * len(TOLD), lost=0, too_much=0, out_of_order=0)


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setattr(sender, "breaker", Breaker())
    with closing(MailServer(seed=1)) as server:
        server.behave()
        smtp.use(settings, server)
        yield server


@pytest.fixture
def sent(server: MailServer, alice: User) -> list[Delivery]:
    """One by itself, and three that have gone out as one."""
    made = [make_delivery(alice, job_name=f"job-{number}", event="succeeded") for number in range(4)]
    Delivery.objects.filter(id__in=[one.id for one in made[1:]]).update(state="bundled")
    deliver_due()
    assert len(server) == 2
    return made


def again(delivery: Delivery) -> None:
    Delivery.objects.filter(id=delivery.id).update(state="pending", due_at=Now())
    deliver_due()


def found(server: MailServer, *in_flight: Delivery) -> Mails:
    """`in_flight`: once for each kill."""
    return Mails.of(server, Counter(one.id for one in in_flight), Counter())


def test_what_has_arrived_once_is_right(server: MailServer, sent: list[Delivery]) -> None:
    mails = found(server, *sent)
    assert (mails.deliveries, mails.sent, mails.in_bundles) == (4, 4, 2)
    assert (mails.lost, mails.misleading) == (0, 0)
    assert (mails.doubled_at_a_kill, mails.doubled_by_the_server, mails.doubled_otherwise) == (0, 0, 0)


def test_a_mail_that_is_noted_as_sent_and_never_came_is_lost(
    server: MailServer, sent: list[Delivery], alice: User
) -> None:
    late = make_delivery(alice, event="succeeded")
    assert found(server).lost == 1
    Delivery.objects.filter(id=late.id).update(state="sent")
    assert found(server).lost == 1


def test_a_bundle_that_never_came_is_lost_with_all_it_holds(server: MailServer, alice: User) -> None:
    first, *others = (make_delivery(alice, event="succeeded") for _ in range(3))
    Delivery.objects.filter(id__in=[one.id for one in others]).update(bundle=first)
    Delivery.objects.update(state="sent")
    assert found(server).lost == 3


def test_a_second_copy_is_a_double_by_its_cause(server: MailServer, sent: list[Delivery]) -> None:
    again(sent[0])
    assert found(server).doubled_otherwise == 1
    assert found(server, sent[1]).doubled_otherwise == 1
    mails = found(server, sent[0])
    assert (mails.doubled_at_a_kill, mails.doubled_otherwise) == (1, 0)
    again(sent[0])
    mails = found(server, sent[0])
    assert (mails.doubled_at_a_kill, mails.doubled_otherwise) == (1, 1)
    mails = found(server, sent[0], sent[0])
    assert (mails.doubled_at_a_kill, mails.doubled_otherwise) == (2, 0)


def test_what_the_server_took_without_saying_so_excuses_one_copy_of_that_mail(
    server: MailServer, alice: User
) -> None:
    server.programme.after_data = smtp.always(smtp.HANG_UP)
    delivery = make_delivery(alice, event="succeeded")
    deliver_due()
    server.behave()
    again(delivery)
    mails = found(server)
    assert (mails.doubled_by_the_server, mails.doubled_otherwise) == (1, 0)
    again(delivery)
    mails = found(server)
    assert (mails.doubled_by_the_server, mails.doubled_otherwise) == (1, 1)


def test_what_a_worker_sent_after_its_lease_is_counted_apart(
    server: MailServer, sent: list[Delivery]
) -> None:
    again(sent[0])
    mails = Mails.of(server, Counter(), Counter([sent[0].id]))
    assert (mails.doubled_late, mails.doubled_otherwise) == (1, 0)


def test_what_came_with_others_and_by_itself_is_a_double(server: MailServer, sent: list[Delivery]) -> None:
    again(sent[2])
    assert found(server).doubled_otherwise == 1


@pytest.mark.parametrize("values", [{"job_name": "job-9"}, {"event": "retried"}])
def test_a_mail_about_something_else_is_misleading(
    server: MailServer, sent: list[Delivery], values: dict[str, str]
) -> None:
    Notification.objects.filter(id=sent[0].notification_id).update(**values)
    assert found(server).misleading == 1


def test_a_mail_to_somebody_else_is_misleading(server: MailServer, sent: list[Delivery], alice: User) -> None:
    User.objects.filter(id=alice.pk).update(email="bob@example.org")
    assert found(server).misleading == 2


def test_a_mail_that_leaves_one_of_its_bundle_out_is_misleading(
    server: MailServer, sent: list[Delivery]
) -> None:
    Delivery.objects.filter(bundle_size=3).update(bundle_size=4)
    assert found(server).misleading == 1


def test_a_mail_before_its_time_is_too_early(server: MailServer, alice: User) -> None:
    clock = Clock()
    make_delivery(alice, event="succeeded")
    while not clock.to_future:
        clock.jump(random.Random(clock.to_past))
    deliver_due()
    assert (len(server), clock.too_early()) == (0, 0)
    Delivery.objects.update(state="sent", sent_at=Now())
    assert clock.too_early() == 1


def tell(user: User, order: list[tuple[str, int]] = TOLD, *, job: tuple[str, str] = JOBS[1]) -> None:
    for event, ordinal in order:
        make_delivery(user, framework_name=framework_name(*job), event=event, ordinal=ordinal)


@pytest.mark.django_db
def test_what_was_told_once_and_in_order_is_right(alice: User) -> None:
    tell(alice, job=JOBS[0])
    tell(alice)
    assert Told.of(JOBS) == NONE


@pytest.mark.django_db
def test_what_was_told_otherwise_is_found(alice: User) -> None:
    tell(alice, job=JOBS[0])
    tell(alice, [TOLD[0], TOLD[2], TOLD[1], TOLD[3]])
    assert Told.of(JOBS) == replace(NONE, out_of_order=1)
    Notification.objects.filter(framework_name=framework_name(*JOBS[0]), ordinal=3).delete()
    assert Told.of(JOBS) == replace(NONE, lost=1, out_of_order=1)
    make_delivery(alice, framework_name="nobody's")
    tell(alice, [("failed", 0)], job=JOBS[0])
    assert Told.of(JOBS) == replace(NONE, lost=1, out_of_order=1, too_much=2)
