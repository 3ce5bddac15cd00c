"""One step of the poller: what cannot be stored holds up nobody, what is locked is not waited for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from notifications.models import CapturedChange, Delivery, FailedChange, Notification, WaitingJob
from notifications.poller import BATCH_CHANGES, Poller
from notifications.sources.frameworks import changes, diagnoses
from notifications.sources.frameworks.changes import SNAPSHOTS_AT_ONCE
from preferences import targets
from preferences.models import ChannelPolicy, Target
from preferences.wishes import Wishes, load_wishes
from tests.cluster import ALL_EVENTS, columns, submit, told, update
from tests.database import sql
from tests.targets import add_chat, add_webhook

HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


def drain(*, at_most: int = 5_000) -> int:
    """Until nothing is due; returns the number of steps."""
    poller = Poller()
    for step in range(at_most):
        if not poller.run_once():
            return step
    pytest.fail(f"still not done after {at_most} steps")


def refuse(condition: str) -> Callable[[], object]:
    """Make the database refuse such notifications; call the result to make it take them again."""
    sql(f"ALTER TABLE notifications_notification ADD CONSTRAINT refused CHECK (NOT ({condition}))")
    return lambda: sql(
        "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE notifications_notification DROP CONSTRAINT refused"
    )


class TestWhatCannotBeStored:
    def test_it_is_put_aside_alone_and_holds_up_nobody(self) -> None:
        allow = refuse("job_name = 'poison'")
        names = [submit(f"job-{number}") for number in range(5)]
        poison = submit("poison")
        for name in (*names[:3], poison, *names[3:]):
            update(name, state="FAILED")
        drain()
        allow()
        assert [
            key for key, _ in Notification.objects.order_by("id").values_list("framework_name", "id")
        ] == names
        aside = FailedChange.objects.get()
        assert (aside.framework_name, aside.old_state, aside.new_state) == (poison, "WAITING", "FAILED")
        assert 'violates check constraint "refused"' in aside.error
        assert not CapturedChange.objects.exists()

    def test_it_can_be_tried_again_as_it_was(self) -> None:
        allow = refuse("job_name = 'poison'")
        name = submit("poison")
        update(name, state="FAILED", retries=1)
        drain()
        before = FailedChange.objects.values("framework_name", "changed_at", "old_state", "new_retries").get()
        assert changes.try_again([FailedChange.objects.get().pk]) == 1
        drain()
        assert (
            FailedChange.objects.values("framework_name", "changed_at", "old_state", "new_retries").get()
            == before
        )
        allow()
        assert changes.try_again([FailedChange.objects.get().pk]) == 1
        drain()
        assert told(name) == [("failed", 0)]
        assert Notification.objects.get().occurred_at == before["changed_at"]
        assert not FailedChange.objects.exists()
        assert changes.try_again([0]) == 0

    def test_later_changes_of_the_same_job_are_told(self) -> None:
        allow = refuse("event = 'running'")
        name = submit(**ALL_EVENTS)
        update(name, state="RUNNING")
        update(name, state="FAILED")
        drain()
        allow()
        assert told(name) == [("failed", 0)]

    def test_a_refusal_that_only_shows_at_the_commit(self) -> None:
        """Foreign keys are checked there, as when a user is deleted meanwhile."""
        sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.job_name = 'poison' THEN RAISE foreign_key_violation; END IF; RETURN NULL; END $$; "
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON notifications_notification "
            "DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
        good, poison = submit("good"), submit("poison")
        for name in (poison, good):
            update(name, state="FAILED")
        drain()
        assert told() == [("failed", 0)]
        assert FailedChange.objects.get().framework_name == poison

    @pytest.mark.parametrize("time", ["infinity", "-infinity", "20000-01-01", "0044-03-15 BC"])
    def test_a_time_that_cannot_even_be_read(self, time: str) -> None:
        good, bad = submit("good"), submit("bad")
        drain()
        with connection.cursor() as cursor:
            cursor.execute('UPDATE frameworks SET "submissionTime" = %s WHERE name = %s', [time, bad])
        update(bad, state="FAILED")
        update(good, state="FAILED")
        drain()
        assert told(good) == [("failed", 0)]
        assert not CapturedChange.objects.exists()

    def test_a_fault_of_ours_is_put_aside_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(diagnoses, "needs_snapshot", lambda change: 1 / (len(change.framework_name) - 4))
        good, bad = submit("good"), submit("bad", name="four")
        for name in (bad, good):
            update(name, state="FAILED")
        drain()
        assert told() == [("failed", 0)]
        assert {one.error for one in FailedChange.objects.all()} == {"ZeroDivisionError('division by zero')"}

    def test_a_row_that_postgresql_itself_cannot_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As after damage to the disk. It must not look like a database that is away, for ever."""
        snapshots = changes.snapshots

        def read(names: list[str]) -> Any:
            if "damaged" in names:
                sql("DO $$ BEGIN RAISE 'missing chunk number 0' USING ERRCODE = 'data_corrupted'; END $$")
            return snapshots(names)

        monkeypatch.setattr(changes, "snapshots", read)
        for name in (submit("damaged", name="damaged"), submit("good")):
            update(name, state="FAILED")
        drain()
        assert told() == [("failed", 0)]
        assert FailedChange.objects.get().error.startswith("missing chunk number 0")

    def test_a_change_that_comes_in_before_it_meanwhile_is_not_blamed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ids are handed out before the commit: that of a long transaction turns up late."""
        refuse("job_name = 'poison'")
        late = CapturedChange(
            id=1, framework_name="late", submission_time=timezone.now(), user_name="alice",
            old_state="WAITING", new_state="FAILED",
        )  # fmt: skip
        poison = submit("poison", state="FAILED")
        put_aside = changes.put_aside_waiting

        def put_aside_later(*arguments: Any) -> bool:
            CapturedChange.objects.bulk_create([late], ignore_conflicts=True)
            return put_aside(*arguments)

        monkeypatch.setattr(changes, "put_aside_waiting", put_aside_later)
        drain()
        assert FailedChange.objects.get().framework_name == poison
        assert told("late") == [("failed", 0)]

    def test_a_wait_that_cannot_be_told_puts_no_change_aside(self) -> None:
        refuse("event = 'waiting_too_long' AND job_name = 'poison'")
        submit("poison")
        drain()
        WaitingJob.objects.update(since=timezone.now() - 3 * HOUR, due_at=timezone.now() - HOUR)
        name = submit("good")
        update(name, state="FAILED")
        drain()
        assert told() == [("failed", 0)]
        assert not FailedChange.objects.exists()
        assert WaitingJob.objects.get().due_at is None


class TestBatches:
    def test_many_changes_of_many_jobs_keep_each_jobs_order(self) -> None:
        names = [submit(f"job-{number}", **ALL_EVENTS) for number in range(400)]
        drain()
        for step in ({"state": "RUNNING"}, {"retries": 1}, {"state": "SUCCEEDED"}):
            for name in names:
                update(name, **step)
        assert CapturedChange.objects.count() == 1200 > BATCH_CHANGES
        assert 2 <= drain() < 10
        for name in names:
            assert told(name) == [("running", 0), ("retried", 1), ("succeeded", 0)]
        assert columns(names[-1], "notifiedAtRunning", "notifiedAtRetried", "notifiedAtSucceeded") == (
            True,
            1,
            True,
        )

    def test_ids_ascend_in_the_order_in_which_things_happened(self) -> None:
        names = [submit(f"job-{number}") for number in range(50)]
        for name in reversed(names):
            update(name, state="FAILED")
        drain()
        assert (
            list(Notification.objects.order_by("id").values_list("framework_name", flat=True)) == names[::-1]
        )
        times = list(Notification.objects.order_by("id").values_list("occurred_at", flat=True))
        assert times == sorted(times)

    def test_each_notification_has_one_delivery_per_channel(self, alice: User) -> None:
        name = submit(**ALL_EVENTS)
        for step in ({"state": "RUNNING"}, {"retries": 1}, {"state": "FAILED"}):
            update(name, **step)
        drain()
        made = Delivery.objects.order_by("id").values_list("notification__event", "channel")
        assert list(made) == [(event, "email") for event in ("running", "retried", "failed")]

    def test_each_target_has_one_delivery_of_its_own(self, alice: User) -> None:
        hooks = [add_webhook(alice, "https://example.org/", name=name)[0].pk for name in "abc"]
        chat = add_chat(alice, "ntfys://ntfy.example.org/topic", name="d").pk
        Target.objects.filter(pk=hooks[1]).update(disabled_at=Now())
        update(submit(), state="FAILED")
        drain()
        made = Delivery.objects.values_list("channel", "target_id")
        assert sorted(made, key=str) == [
            ("apprise", chat), ("email", None), ("webhook", hooks[0]), ("webhook", hooks[2])
        ]  # fmt: skip
        ChannelPolicy.objects.filter(channel="webhook").delete()
        update(submit("another"), state="FAILED")
        drain()
        assert Delivery.objects.filter(channel="webhook").count() == 2

    def test_a_target_that_goes_away_meanwhile_holds_up_nothing(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the poller has read the wishes, before it writes."""
        target, _ = add_webhook(alice, "https://example.org/")

        def late(*arguments: object, **options: object) -> Wishes:
            wishes = load_wishes(*arguments, **options)  # type: ignore[arg-type]
            targets.remove(target)
            return wishes

        monkeypatch.setattr("notifications.recording.load_wishes", late)
        update(submit(), state="FAILED")
        assert Poller().run_once()
        assert Delivery.objects.filter(channel="webhook").count() == 1

    def test_an_owner_who_gets_an_account_at_the_same_moment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The account appears after the poller has looked and before it makes one."""

        def slow(password: str | None) -> str:
            User.objects.get_or_create(username="carol", defaults={"email": "carol@example.org"})
            return make_password(password)

        monkeypatch.setattr("preferences.wishes.make_password", slow)
        update(submit(user="carol"), state="FAILED")
        assert Poller().run_once()
        assert Notification.objects.get().user.username == "carol"
        assert Delivery.objects.count() == 1

    def test_a_step_with_nothing_due_asks_little(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        poller = Poller()
        poller.run_once()
        with django_assert_max_num_queries(
            5
        ):  # a savepoint and its release, the queue, the waits; the other queue
            assert not poller.run_once()

    def test_no_step_costs_a_query_per_change(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(200):
            update(submit(f"job-{number}", f"user-{number % 20}"), state="FAILED")
        poller = Poller()
        with django_assert_max_num_queries(20 + 200 // SNAPSHOTS_AT_ONCE):
            assert poller.run_once()
        assert Notification.objects.count() == 200
