"""What happens when two things happen at once, or in an order that nobody wished for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from notifications.listening import Listener
from notifications.models import CapturedChange, FailedChange, Notification, PollerState, WaitingJob
from notifications.poller import Poller
from notifications.sources.frameworks import changes, names, reconcile
from notifications.sources.frameworks.source import FrameworkSource
from preferences.kinds import Event
from preferences.models import JobConfig, UserPreference
from preferences.signals import announce_job, announce_owners
from tests.cluster import columns, submit, told, update
from tests.database import second_session, sql
from tests.processes import wait_for


def poll() -> None:
    poller = Poller()
    while poller.run_once():
        pass


def waiting_for_a_lock() -> int:
    """How many sessions are."""
    return int(sql("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")[0][0])


class PollerInThread(threading.Thread):
    """One batch on another connection."""

    def run(self) -> None:
        try:
            Poller().run_once()
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
class TestWishesThatChangeMeanwhile:
    def test_a_limit_that_is_being_set_counts_for_the_wait_that_begins(self, alice: User) -> None:
        poller = PollerInThread()
        with transaction.atomic():
            UserPreference.objects.create(user=alice, waiting_minutes=1)
            announce_owners([alice.pk])
            psycopg_submit("beside")
            poller.start()
            wait_for(waiting_for_a_lock, what="the poller waits for the wish")
        poller.join()
        wait = WaitingJob.objects.get(framework_name="beside")
        assert wait.due_at == wait.since + timedelta(minutes=1)

    def test_an_event_switched_on_while_it_happens_is_told(self, alice: User) -> None:
        name = submit()
        poll()
        job = (name, columns(name, "submissionTime")[0])
        poller = PollerInThread()
        with transaction.atomic():
            JobConfig.objects.create(framework_name=name, submission_time=job[1], events={"running": True})
            announce_job(*job, switched_on=[Event.RUNNING])  # it still waits: nothing to be told at once
            psycopg_execute("UPDATE frameworks SET state = 'RUNNING' WHERE name = %s", name)
            poller.start()
            wait_for(waiting_for_a_lock, what="the poller waits for the wish")
        poller.join()
        assert told(name) == [("running", 0)]


@pytest.mark.django_db(transaction=True)
def test_an_upgrade_of_the_cluster_waits_for_the_batch_and_the_batch_not_for_the_upgrade() -> None:
    """Else each would wait for the other: the batch goes on to lock rows of a table that it has read."""
    name = submit()
    update(name, state="FAILED")
    upgrade = threading.Thread(
        target=psycopg_execute, args=["ALTER TABLE frameworks ALTER COLUMN state TYPE varchar(40)"]
    )
    poller = PollerInThread()
    with second_session() as wisher, wisher.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s, %s)", [names.LOCK_SPACE, names.WISHES_LOCK])
        poller.start()
        wait_for(lambda: waiting_for_a_lock() == 1, what="the poller is in its batch")
        upgrade.start()
        wait_for(lambda: waiting_for_a_lock() == 2, what="the upgrade waits for the batch")
    poller.join()
    upgrade.join()
    assert told(name) == [("failed", 0)]
    assert columns(name, "notifiedAtFailed") == (True,)
    psycopg_execute("ALTER TABLE frameworks ALTER COLUMN state TYPE varchar(32)")


def psycopg_execute(statement: str, *parameters: object) -> None:
    """Commits at once, whatever the test's own transaction does."""
    with second_session(autocommit=True) as other, other.cursor() as cursor:
        cursor.execute(statement, parameters)


def psycopg_submit(name: str) -> None:
    psycopg_execute(
        'INSERT INTO frameworks (name, "userName", state, retries, "submissionTime", "updatedAt") '
        "VALUES (%s, 'alice', 'WAITING', 0, now(), now())",
        name,
    )


@pytest.mark.django_db
class TestOldNews:
    def test_a_wait_is_not_judged_while_its_end_is_still_in_line(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("notifications.poller.BATCH_CHANGES", 3)
        name = submit()
        poll()
        past = datetime.now(UTC) - timedelta(hours=3)
        WaitingJob.objects.update(since=past, due_at=past)
        for number in range(5):
            submit(f"before-{number}")
        update(name, state="RUNNING")
        update(name, state="WAITING", retries=1)
        poll()
        assert told(name) == []
        assert WaitingJob.objects.get(framework_name=name).ordinal == 1

    def test_a_change_tried_again_leaves_the_present_wait_alone(self) -> None:
        name = submit()
        submitted = columns(name, "submissionTime")[0]
        poll()
        changes_of_yesterday = {"framework_name": name, "submission_time": submitted, "user_name": "alice"}
        for old, new in (("WAITING", "RUNNING"), ("RUNNING", "WAITING")):
            CapturedChange.objects.create(
                **changes_of_yesterday, old_state=old, new_state=new, old_retries=7, new_retries=7
            )
        before = WaitingJob.objects.values().get()
        poll()
        assert WaitingJob.objects.values().get() == before

    def test_a_change_of_an_earlier_submission_leaves_the_wait_of_the_new_one_alone(self) -> None:
        name = submit()
        poll()
        CapturedChange.objects.create(
            framework_name=name, submission_time=datetime(2020, 1, 1, tzinfo=UTC), user_name="alice",
            old_state="WAITING", new_state="STOPPED", old_retries=0, new_retries=0,
        )  # fmt: skip
        poll()
        assert WaitingJob.objects.filter(framework_name=name).exists()

    def test_a_state_queued_as_present_is_not_told_when_it_has_passed(self) -> None:
        name = submit()
        update(name, state="RUNNING")
        poll()
        changes.queue_present_state(
            framework_name=name, submission_time=columns(name, "submissionTime")[0], events=[Event.RUNNING]
        )
        update(name, state="SUCCEEDED")
        poll()
        assert told(name) == []

    def test_the_present_state_is_told_with_the_time_at_which_it_began(self) -> None:
        started = datetime.now(UTC) - timedelta(days=3)
        name = submit(submissionTime=started - timedelta(minutes=1))
        update(name, state="RUNNING", launchTime=started)
        poll()
        JobConfig.objects.create(
            framework_name=name, submission_time=started - timedelta(minutes=1), events={"running": True}
        )
        changes.queue_present_state(
            framework_name=name, submission_time=started - timedelta(minutes=1), events=[Event.RUNNING]
        )
        poll()
        one = Notification.objects.get()
        assert one.occurred_at == started
        assert one.details["waited_seconds"] == 60

    def test_what_was_put_aside_is_not_queued_by_every_scan(self) -> None:
        submit("nobody's", "../admin")
        submit("asking", "../root", state="FAILED", notificationAtFailed=True)
        poll()
        assert FailedChange.objects.count() == 2
        for _ in range(3):
            reconcile.note_absence()
            reconcile.reconcile()
            poll()
        assert FailedChange.objects.count() == 2


@pytest.mark.django_db
def test_snapshots_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may have 4 MB: a thousand jobs that end at once must not fill the memory."""
    monkeypatch.setattr(changes, "SNAPSHOTS_AT_ONCE", 2)
    listed = [submit(f"job-{number}", snapshot="{}") for number in range(5)]
    sizes: list[int] = []

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        result = execute(sql, params, many, context)
        sizes.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(count):
        assert len(list(changes.snapshots(listed))) == 5
    assert sizes == [2, 2, 1]


@pytest.mark.django_db(transaction=True)
def test_the_poller_hears_of_a_change_that_the_trigger_could_not_write_down() -> None:
    PollerState.objects.create(
        installed_at=datetime(2020, 1, 1, tzinfo=UTC), capture_seen_at=datetime.now(UTC)
    )
    name = submit()
    poll()
    listener = Listener(names.CHANGES_CHANNEL)
    try:
        psycopg_execute("ALTER TABLE notifications_capturedchange RENAME TO away")
        psycopg_execute(
            'UPDATE frameworks SET state = \'FAILED\', "updatedAt" = now(), "completionTime" = now() WHERE name = %s',
            name,
        )
        psycopg_execute("ALTER TABLE away RENAME TO notifications_capturedchange")
        assert listener.drain() == [names.MISSED]
    finally:
        listener.close()
    poll()
    assert told(name) == []
    FrameworkSource().reconcile_recent()
    poll()
    assert told(name) == [("failed", 0)]
