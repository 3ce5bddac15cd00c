"""What was missed while the capture was away or nobody watched is told once, and nothing twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from notifications.models import CapturedChange, FailedChange, Notification, PollerState, WaitingJob
from notifications.sources.frameworks import capture
from notifications.sources.frameworks.source import FrameworkSource
from preferences.models import JobConfig
from tests.cluster import ALL_EVENTS, RESET, asking, columns, ended, started, submit, told, update
from tests.pollers import drain, look_after, start_poller
from tests.wishes import everybody_wants_everything

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LONG_AGO = timedelta(days=40)


def pass_time(**since: timedelta) -> None:
    """As if the poller's memory were of some time ago."""
    PollerState.objects.update(**{name: timezone.now() - ago for name, ago in since.items()})


@pytest.fixture(autouse=True)
def installed_long_ago() -> None:
    look_after()
    pass_time(installed_at=LONG_AGO, capture_seen_at=timedelta(0))


class TestCaptureAway:
    def test_changes_made_meanwhile_are_told_once(self) -> None:
        failed, untouched = submit("failed"), submit("untouched")
        drain()
        capture.remove()
        look_after()
        update(failed, **ended())
        fresh = submit("fresh", **ALL_EVENTS, **started())
        assert not CapturedChange.objects.exists()
        capture.install()
        look_after()
        drain()
        start_poller()
        assert told(failed) == [("failed", 0)]
        assert told(fresh) == [("running", 0)]
        assert told(untouched) == []

    def test_what_was_put_aside_is_not_queued_again(self) -> None:
        """Trying it again is up to the admin; each restart would put it aside once more."""
        name = submit(user="no name", **ALL_EVENTS)
        update(name, **ended())
        drain()
        aside = FailedChange.objects.filter(framework_name=name).count()
        assert aside
        capture.remove()
        look_after()
        capture.install()
        look_after()
        assert not CapturedChange.objects.exists()
        start_poller()
        assert FailedChange.objects.filter(framework_name=name).count() == aside

    def test_what_was_told_before_is_not_told_again(self) -> None:
        name = submit(**ALL_EVENTS)
        update(name, **started())
        update(name, retries=2)
        drain()
        before = told(name)
        capture.remove()
        update(name, retries=2, jobPriority="test", **RESET)
        capture.install()
        start_poller()
        assert told(name) == before == [("running", 0), ("retried", 2)]

    def test_a_whole_life_unseen_is_told_in_order(self) -> None:
        capture.remove()
        name = submit(**ALL_EVENTS, **started(), retries=1)
        update(name, **ended("SUCCEEDED"))
        capture.install()
        start_poller()
        assert told(name) == [("running", 0), ("retried", 1), ("succeeded", 0)]

    def test_a_change_captured_before_the_gap_does_not_hide_one_in_the_gap(self) -> None:
        """The poller was away too, so the change before the gap is still in the queue."""
        name = submit(**ALL_EVENTS)
        update(name, **started())
        capture.remove()
        update(name, **ended())
        capture.install()
        start_poller()
        assert told(name) == [("running", 0), ("failed", 0)]

    def test_a_wish_in_the_columns_does_not_hide_what_the_owner_set(self) -> None:
        name = submit(**asking("Retried"))
        (submitted,) = columns(name, "submissionTime")
        JobConfig.objects.create(
            framework_name=name, submission_time=submitted, events={"failed": True, "running": True}
        )
        drain()
        capture.remove()
        update(name, **started(), retries=1)
        update(name, **ended(), retries=1)
        capture.install()
        start_poller()
        assert told(name) == [("running", 0), ("retried", 1), ("failed", 0)]

    def test_a_disabled_trigger_counts_as_away(self) -> None:
        name = submit()
        drain()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE frameworks DISABLE TRIGGER notifcenter_capture")
        look_after()
        update(name, **ended())
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE frameworks ENABLE TRIGGER notifcenter_capture")
        look_after()
        drain()
        assert told(name) == [("failed", 0)]

    def test_away_for_hours_while_the_poller_was_away_too(self) -> None:
        name = submit(submissionTime=timezone.now() - 10 * HOUR)
        drain()
        CapturedChange.objects.all().delete()
        pass_time(capture_seen_at=8 * HOUR)
        capture.remove()
        update(name, **ended(ago=6 * HOUR))
        capture.install()
        start_poller()
        assert told(name) == [("failed", 0)]
        assert columns(name, "notifiedAtFailed") == (True,)

    def test_the_event_has_the_time_at_which_it_happened(self) -> None:
        name = submit(submissionTime=timezone.now() - 10 * HOUR)
        drain()
        pass_time(capture_seen_at=8 * HOUR)
        capture.remove()
        update(name, **ended(ago=6 * HOUR))
        capture.install()
        start_poller()
        assert Notification.objects.get().occurred_at == columns(name, "completionTime")[0]


class TestStarts:
    def test_marks_that_the_cluster_reset_tell_nothing_twice(self) -> None:
        name = submit(**ALL_EVENTS)
        update(name, **started())
        update(name, retries=1)
        update(name, **ended())
        drain()
        before = told(name)
        update(name, **RESET)
        start_poller()
        assert told(name) == before
        assert columns(name, "notifiedAtRunning", "notifiedAtFailed", "notifiedAtRetried") == (True, True, 1)

    def test_a_second_start_queues_nothing_that_is_queued(self) -> None:
        name = submit(**ALL_EVENTS)
        update(name, **started())
        queued = CapturedChange.objects.count()
        assert FrameworkSource().reconcile() == 0
        assert CapturedChange.objects.count() == queued

    def test_an_event_nobody_wanted_then_is_not_dug_up(self) -> None:
        """A retried job that ended long ago and whose row is written again."""
        name = submit(submissionTime=timezone.now() - 30 * HOUR, **started(30 * HOUR), retries=2)
        update(name, **ended("SUCCEEDED", ago=20 * HOUR))
        drain()
        assert told(name) == []
        everybody_wants_everything()
        update(name, jobPriority="test")
        start_poller()
        assert told(name) == []

    def test_waits_that_nobody_saw_begin_are_followed(self) -> None:
        at = timezone.now() - timedelta(minutes=59)
        capture.remove()
        name = submit(submissionTime=at, updatedAt=at)
        capture.install()
        start_poller()
        wait = WaitingJob.objects.get()
        assert (wait.framework_name, wait.since) == (name, at)
        assert wait.due_at == at + HOUR

    def test_waits_that_are_over_are_forgotten(self) -> None:
        name = submit()
        drain()
        capture.remove()
        update(name, state="RUNNING")
        capture.install()
        FrameworkSource().reconcile()
        assert not WaitingJob.objects.exists()

    def test_a_wait_does_not_begin_anew_because_the_row_is_written_again(self) -> None:
        at = timezone.now() - timedelta(minutes=50)
        name = submit(**asking("Retried"))
        update(name, state="RUNNING")
        update(name, state="WAITING", retries=1)
        drain()
        WaitingJob.objects.update(since=at)
        update(name, snapshot="{}", **RESET)
        start_poller()
        assert WaitingJob.objects.get().since == at

    def test_a_wait_after_a_missed_retry_is_a_new_one(self) -> None:
        name = submit(submissionTime=timezone.now() - HOUR, **ALL_EVENTS)
        drain()
        capture.remove()
        update(name, state="WAITING", retries=1)
        capture.install()
        start_poller()
        wait = WaitingJob.objects.get()
        assert wait.ordinal == 1
        assert timezone.now() - wait.since < timedelta(minutes=1)
        assert ("retried", 1) in told(name)

    def test_the_scan_writes_nothing_into_the_clusters_table(self) -> None:
        names = [submit(f"job-{number}", **ALL_EVENTS) for number in range(3)]
        before = [columns(name, "xmin") for name in names]
        FrameworkSource().reconcile()
        assert [columns(name, "xmin") for name in names] == before
