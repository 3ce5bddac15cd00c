"""The delivery table as a queue, on a real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now

from notifications.delivery import bundles, queue
from notifications.models import Delivery, DeliveryState
from preferences.kinds import Channel
from preferences.models import ChannelPolicy
from tests.bundles import BUNDLED, PENDING, bundle, states
from tests.database import second_session, sql
from tests.deliveries import make_deliveries, make_delivery


def let_lease_run_out(delivery: Delivery) -> None:
    Delivery.objects.filter(id=delivery.id).update(due_at=Now() - timedelta(seconds=1))


def test_claims_the_oldest_first_and_leases_them(alice: User) -> None:
    late, early, future = (make_delivery(alice) for _ in range(3))
    Delivery.objects.filter(id=early.id).update(due_at=Now() - timedelta(minutes=5))
    Delivery.objects.filter(id=future.id).update(due_at=Now() + timedelta(minutes=5))

    assert [taken.id for taken in queue.claim(Channel.EMAIL, limit=1)] == [early.id]
    assert [taken.id for taken in queue.claim(Channel.EMAIL, limit=10)] == [late.id]
    assert queue.claim(Channel.EMAIL, limit=10) == []
    late.refresh_from_db()
    assert (late.state, late.attempts) == (DeliveryState.LEASED, 1)


@pytest.mark.django_db(transaction=True)
def test_what_another_worker_is_taking_is_not_waited_for(alice: User) -> None:
    first, second = make_deliveries(alice, 2)
    with second_session() as session, session.cursor() as cursor:
        cursor.execute("SELECT FROM notifications_delivery WHERE id = %s FOR UPDATE", [first.id])
        sql("SET lock_timeout = '5s'")
        assert [taken.id for taken in queue.claim(Channel.EMAIL, limit=1)] == [second.id]
    sql("RESET lock_timeout")


@pytest.mark.django_db(transaction=True)
def test_what_an_admin_is_cancelling_is_not_waited_for_by_who_makes_bundles(alice: User) -> None:
    cancelled = bundle(alice, 3)[1]
    with second_session() as session, session.cursor() as cursor:
        cursor.execute("SELECT FROM notifications_delivery WHERE id = %s FOR UPDATE", [cancelled.id])
        sql("SET lock_timeout = '5s'")
        bundles.form(Channel.EMAIL)
    sql("RESET lock_timeout")
    assert states() == {BUNDLED: 2, PENDING: 1}
    assert Delivery.objects.exclude(bundle=None).count() == 1


def test_a_lease_lasts_as_long_as_the_setting_says(alice: User) -> None:
    delivery = make_delivery(alice)
    queue.claim(Channel.EMAIL, limit=1)
    left = Delivery.objects.filter(id=delivery.id).values_list("due_at", flat=True).get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        assert (left - cursor.fetchone()[0]).total_seconds() == pytest.approx(120, abs=1)


def test_a_lease_that_ran_out_is_taken_again_and_counts(alice: User) -> None:
    delivery = make_delivery(alice)
    queue.claim(Channel.EMAIL, limit=1)
    let_lease_run_out(delivery)
    (taken,) = queue.claim(Channel.EMAIL, limit=1)
    assert (taken.id, taken.attempts, taken.refusals, taken.leases_lost) == (delivery.id, 2, 0, 1)
    delivery.refresh_from_db()
    assert delivery.last_error == queue.LEASE_LOST
    queue.mark_sent(taken)
    delivery.refresh_from_db()
    assert delivery.last_error == ""


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DROPPED])
def test_what_is_settled_is_never_claimed(alice: User, state: DeliveryState) -> None:
    delivery = make_delivery(alice)
    Delivery.objects.filter(id=delivery.id).update(state=state)
    assert queue.claim(Channel.EMAIL, limit=1) == []


def test_only_one_channel_is_claimed_and_none_that_pauses(alice: User) -> None:
    delivery = make_delivery(alice)
    assert queue.claim(Channel.ALERTMANAGER, limit=1) == []
    policy = ChannelPolicy.objects.create(channel="email", paused=True)
    assert queue.claim(Channel.EMAIL, limit=1) == []
    policy.delete()
    assert [taken.id for taken in queue.claim(Channel.EMAIL, limit=1)] == [delivery.id]


@pytest.mark.parametrize(
    "settle",
    [
        queue.mark_sent,
        lambda taken: queue.mark_failed(taken, error="x"),
        lambda taken: queue.mark_retry(taken, error="x", pause_seconds=60),
        lambda taken: queue.mark_dropped(taken, reason="x"),
        queue.give_back,
    ],
)
def test_a_worker_that_lost_its_lease_cannot_overwrite(
    alice: User, settle: Callable[[queue.Claim], bool]
) -> None:
    delivery = make_delivery(alice)
    (first,) = queue.claim(Channel.EMAIL, limit=1)
    let_lease_run_out(delivery)
    (second,) = queue.claim(Channel.EMAIL, limit=1)
    assert settle(first) is False
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.LEASED, 2)
    assert settle(second) is True


def test_a_worker_that_gave_its_lease_back_cannot_overwrite_the_next_holder(alice: User) -> None:
    delivery = make_delivery(alice)
    (stuck,) = queue.claim(Channel.EMAIL, limit=1)
    let_lease_run_out(delivery)
    (second,) = queue.claim(Channel.EMAIL, limit=1)
    queue.give_back(second)
    (third,) = queue.claim(Channel.EMAIL, limit=1)
    assert third.attempts == 2, "an attempt that did not take place does not count"
    assert queue.mark_sent(stuck) is False
    assert queue.mark_sent(third) is True


def test_a_lease_given_back_and_one_that_was_put_in_line_anew_are_not_those_of_before(alice: User) -> None:
    delivery = make_delivery(alice)
    (first,) = queue.claim(Channel.EMAIL, limit=1)
    let_lease_run_out(delivery)
    queue.mark_failed(queue.claim(Channel.EMAIL, limit=1)[0], error="x")
    assert queue.try_again([delivery.id]) == [delivery.id]
    (again,) = queue.claim(Channel.EMAIL, limit=1)
    assert again.attempts == first.attempts, "the number of the attempt does not tell them apart"
    assert queue.mark_sent(first) is False
    assert queue.mark_sent(again) is True


def test_the_error_is_kept_on_one_line_and_cut(alice: User) -> None:
    delivery = make_delivery(alice)
    (taken,) = queue.claim(Channel.EMAIL, limit=1)
    queue.mark_failed(taken, error="550 \x1b[31mno\r\nsuch \u202euser " + "x" * 5000)
    delivery.refresh_from_db()
    assert delivery.last_error.startswith("550 [31mno such user xxx")
    assert len(delivery.last_error) == 1000


def test_trying_again_takes_only_what_has_ended_unsent(alice: User) -> None:
    failed, sent = make_delivery(alice), make_delivery(alice)
    Delivery.objects.filter(id=failed.id).update(state=DeliveryState.FAILED, attempts=10, refusals=9)
    Delivery.objects.filter(id=sent.id).update(state=DeliveryState.SENT)
    assert queue.try_again([failed.id, sent.id]) == [failed.id]
    (taken,) = queue.claim(Channel.EMAIL, limit=10)
    assert (taken.id, taken.attempts, taken.refusals) == (failed.id, 1, 0)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_share_the_work_without_overlap() -> None:
    user = User.objects.create_user("alice", "alice@example.org")
    make_deliveries(user, 400)
    taken: list[int] = []

    def work() -> None:
        try:
            while claims := queue.claim(Channel.EMAIL, limit=7):
                taken.extend(claim.id for claim in claims)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 400


@pytest.mark.django_db(transaction=True)
def test_claiming_reads_the_index_of_open_deliveries_only() -> None:
    user = User.objects.create_user("alice", "alice@example.org")
    make_deliveries(user, 5000)
    Delivery.objects.update(state=DeliveryState.SENT)
    make_delivery(user)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_delivery")
        values: dict[str, Any] = {
            "channel": "email",
            "limit": 10,
            "heed_pause": True,
            "lease_seconds": 1,
            "lost": "",
        }
        cursor.execute("EXPLAIN " + queue.CLAIM, values)
        plan = "\n".join(line for (line,) in cursor)
    assert "delivery_due" in plan
    assert "Seq Scan on notifications_delivery" not in plan
