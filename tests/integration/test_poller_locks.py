"""The poller beside others who lock the same rows: nobody waits in a circle, and the cluster for nobody."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from notifications import inbox, recording
from notifications.models import CapturedChange, Notification, WaitingJob
from notifications.sources.base import Resolution
from notifications.sources.frameworks import reconcile
from preferences.signals import announce_site
from tests.cluster import submit, told, update
from tests.database import second_session, sql
from tests.integration.test_poller_races import PollerInThread, waiting_for_a_lock
from tests.pollers import look_after
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 2000
ROUNDS = 3


def at_once(*works: Callable[[], object]) -> None:
    def work(one: Callable[[], object]) -> None:
        try:
            one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(work, works))


def test_the_cluster_does_not_wait_for_whoever_holds_an_owners_record(alice: User) -> None:
    name = submit()
    update(name, state="FAILED")
    poller = PollerInThread()
    with second_session() as admin, admin.cursor() as cursor:
        cursor.execute("SELECT FROM auth_user WHERE username = 'alice' FOR UPDATE")
        poller.start()
        wait_for(waiting_for_a_lock, what="the poller waits for the record")
        with second_session(autocommit=True) as cluster, cluster.cursor() as write:
            write.execute("SET lock_timeout = '1ms'")
            write.execute("UPDATE frameworks SET state = 'FAILED' WHERE name = %s", [name])
    poller.join()
    assert told(name) == [("failed", 0)]


def test_alerts_that_end_while_their_owner_reads_them(alice: User) -> None:
    now = timezone.now()
    rows = [
        Notification(
            user=alice, event="alert", framework_name=f"alert:{number}", submission_time=now, occurred_at=now
        )
        for number in range(MANY)
    ]
    ids = [one.pk for one in Notification.objects.bulk_create(rows)]
    over = [Resolution(one.framework_name, now, {"resolved_at": now.isoformat()}) for one in reversed(rows)]

    def resolve() -> None:
        with transaction.atomic():
            recording.resolve(over)

    for _ in range(ROUNDS):
        Notification.objects.update(details={}, read_at=None)
        at_once(
            resolve,
            lambda: inbox.mark_read(user_id=alice.pk, up_to=max(ids)),
            lambda: inbox.mark_read(user_id=alice.pk, ids=ids),
        )
        assert not Notification.objects.filter(read_at=None).exists()
        assert not Notification.objects.exclude(details__has_key="resolved_at").exists()


def test_a_poller_that_starts_while_the_sites_limit_is_changed() -> None:
    look_after()
    names = [submit(f"job-{number}") for number in range(MANY)]
    CapturedChange.objects.all().delete()
    reconcile.reconcile()
    assert WaitingJob.objects.count() == MANY

    def change() -> None:
        with transaction.atomic():
            announce_site()

    for turn in range(ROUNDS):  # an updated row moves: the two tables are not in the same order
        sql(
            "UPDATE notifications_waitingjob SET due_at = now() WHERE framework_name = ANY(%s)",
            names[turn::7],
        )
        at_once(change, reconcile.reconcile, change)
