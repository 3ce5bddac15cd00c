"""What is older than the site keeps goes, in small batches; nothing that is gone is told again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from notifcenter import celery
from notifications import inbox, retention, tasks
from notifications.models import (
    Delivery,
    FailedChange,
    Notification,
    Received,
)
from notifications.sources.frameworks import names
from tests.cluster import submit, update
from tests.database import second_session, sql
from tests.pollers import drain
from tests.processes import environment, manage, running, wait_for
from tests.retention import DAYS, OLD, YOUNG, age, prune, sent


@pytest.mark.django_db
class TestWhatGoes:
    def test_the_old_ones_go_with_their_deliveries(self, alice: User) -> None:
        old, young = sent(alice), sent(alice)
        age(OLD, id=old.notification_id)
        age(YOUNG, id=young.notification_id)
        done = prune()
        assert (done.notifications, done.deliveries, done.finished) == (1, 1, True)
        assert list(Notification.objects.values_list("id", flat=True)) == [young.notification_id]
        assert list(Delivery.objects.values_list("id", flat=True)) == [young.id]
        assert prune().notifications == 0

    def test_the_oldest_first_in_batches(self, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retention, "BATCH_ROWS", 2)
        ids = [sent(alice).notification_id for _ in range(7)]
        age(OLD)
        left = []

        def wait(seconds: float) -> bool:
            assert 0 <= seconds <= retention.LONGEST_PAUSE_SECONDS
            left.append(Notification.objects.count())
            return len(left) == 2

        done = prune(wait)
        assert (left, done.finished) == ([5, 3], False)
        assert list(Notification.objects.order_by("id").values_list("id", flat=True)) == ids[4:]
        assert prune().notifications == 3

    @pytest.mark.parametrize("kept", [{"saved": True}, {"snoozed_until": datetime(2100, 1, 1, tzinfo=UTC)}])
    def test_what_its_user_keeps_or_has_put_off_stays(self, alice: User, kept: dict[str, Any]) -> None:
        sent(alice, **kept)
        sent(alice)
        age(OLD)
        assert prune().notifications == 1
        assert Notification.objects.filter(**kept).count() == 1

    def test_what_happened_lately_stays_whenever_it_was_stored(self, alice: User) -> None:
        """The poller would tell it again: it goes by when something happened."""
        one = sent(alice).notification_id
        age(OLD)
        Notification.objects.filter(id=one).update(occurred_at=timezone.now())
        assert prune().notifications == 0

    @pytest.mark.parametrize("state", ["pending", "leased", "retry", "bundled"])
    def test_what_waits_to_go_out_stays(self, alice: User, state: str) -> None:
        Delivery.objects.filter(id=sent(alice).id).update(state=state)
        age(OLD)
        assert prune().notifications == 0

    def test_what_went_out_with_one_that_goes_stays_sent(self, alice: User) -> None:
        head, other = sent(alice), sent(alice)
        Delivery.objects.filter(id=other.id).update(bundle=head)
        age(OLD, id=head.notification_id)
        assert prune().deliveries == 1
        other.refresh_from_db()
        assert (other.bundle_id, other.state) == (None, "sent")

    def test_what_came_in_goes_but_not_what_waits(self) -> None:
        for number in range(3):
            Received.objects.create(key=f"key-{number}", kind="alert", payload={}, waiting=number == 0)
        sql("UPDATE notifications_received SET received_at = received_at - %s WHERE key < 'key-2'", OLD)
        assert prune().received == 1
        assert set(Received.objects.values_list("key", flat=True)) == {"key-0", "key-2"}

    def test_changes_put_aside_go(self) -> None:
        name = submit()
        update(name, state="NOT A STATE")
        drain()
        assert FailedChange.objects.count() == 1
        assert prune().changes == 0
        sql("UPDATE notifications_failedchange SET failed_at = failed_at - %s", OLD)
        assert prune().changes == 1

    def test_the_unread_count_follows(self, alice: User) -> None:
        sent(alice), sent(alice)
        age(OLD)
        prune()
        assert inbox.count_unread(alice.pk).unread == 0


@pytest.mark.django_db
class TestTheSetting:
    def test_nought_keeps_all(self, alice: User, settings: Settings) -> None:
        sent(alice)
        age(OLD * 100)
        settings.RETENTION_DAYS = 0
        tasks.prune()
        assert Notification.objects.count() == 1
        assert "retention" not in celery._schedule()
        with pytest.raises(CommandError, match="RETENTION_DAYS is 0"):
            call_command("prune_notifications")

    def test_beat_does_it(self, alice: User, settings: Settings) -> None:
        sent(alice)
        age(OLD)
        settings.RETENTION_DAYS = DAYS
        assert celery._schedule()["retention"]["task"] == tasks.prune.name
        tasks.prune()
        assert Notification.objects.count() == 0

    def test_too_few_days_are_refused(self) -> None:
        with pytest.raises(CommandError, match="at least 7"):
            call_command("prune_notifications", "--days", "6")


@pytest.mark.django_db
def test_nothing_is_found_by_reading_a_whole_table() -> None:
    sql(retention._SESSION)
    ids = "ARRAY[1, 2]::bigint[]"
    foreign_key = "SELECT FROM notifications_delivery x WHERE notification_id = 1 FOR KEY SHARE OF x"
    statements = [
        retention._LOOK.format(table="notifications_notification", age="created_at"),
        retention._REMOVABLE,
        retention._LEAVE_BUNDLES,
        retention._DELIVERIES,
        retention._NOTIFICATIONS,
        retention._RECEIVED,
        foreign_key,
        "SELECT FROM notifications_delivery x WHERE bundle_id = 1 FOR KEY SHARE OF x",
    ]
    for statement in statements:
        text = statement.replace("%(ids)s", ids).replace("%(before)s", "now()")
        text = text.replace("%(after)s", "0").replace("%(most)s", "10")
        plan = "\n".join(row for (row,) in sql(f"EXPLAIN {text}"))
        assert "Seq Scan" not in plan, plan


MANY = """
WITH told AS (
    INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
        virtual_cluster, details, occurred_at, created_at, in_inbox)
    SELECT %s, 'failed', 0, 'job-' || n, now() - %s, 'job', '', '{}', now() - %s, now() - %s, true
      FROM generate_series(1, %s) n RETURNING id)
INSERT INTO notifications_delivery (notification_id, channel, state, attempts, last_error)
SELECT id, 'email', 'sent', 1, '' FROM told
"""


@pytest.mark.django_db(transaction=True)
class TestTheCommand:
    def test_it_stops_in_the_middle_and_goes_on_the_next_time(self, alice: User, tmp_path: Path) -> None:
        rows = 8_000
        sql(MANY, alice.pk, OLD, OLD, OLD, rows)
        env = environment(RETENTION_DAYS=str(DAYS))
        with running(manage("prune_notifications"), tmp_path / "log", env) as process:
            wait_for(lambda: Notification.objects.count() < rows, what="the first batch")
            assert process.stop() == 0, process.log
            assert "finished=no" in process.log
        left = Notification.objects.count()
        assert 0 < left < rows
        assert Delivery.objects.count() == left
        with running(manage("prune_notifications"), tmp_path / "again", env) as process:
            wait_for(lambda: process.popen.poll() is not None)
            assert f"notifications={left} deliveries={left}" in process.log
            assert "finished=yes" in process.log

    def test_one_works_at_a_time(self, alice: User) -> None:
        sent(alice)
        age(OLD)
        with second_session() as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [names.LOCK_SPACE, names.PRUNE_LOCK])
            done = prune()
            assert (done.notifications, done.finished) == (0, False)
            other.rollback()
        assert prune().notifications == 1

    def test_a_notification_that_somebody_holds_is_not_waited_for(self, alice: User) -> None:
        held, free = sent(alice), sent(alice)
        age(OLD)
        with second_session() as other, other.cursor() as cursor:
            cursor.execute(
                "SELECT FROM notifications_notification WHERE id = %s FOR UPDATE", [held.notification_id]
            )
            assert prune().notifications == 1
            assert not Notification.objects.filter(id=free.notification_id).exists()
            assert Notification.objects.filter(id=held.notification_id).exists()


@pytest.mark.django_db(transaction=True)
def test_a_batch_of_the_poller_that_may_tell_what_is_removed_is_waited_for(alice: User) -> None:
    sent(alice)
    age(OLD)
    with second_session() as poller, poller.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [names.LOCK_SPACE, names.WISHES_LOCK])
        sql("SET lock_timeout = '50ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            prune()
        sql("RESET lock_timeout")
    assert Notification.objects.exists()
    assert prune().notifications == 1
