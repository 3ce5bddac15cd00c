"""What /metrics counts: from changes, each once, whatever happens to the batch that holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from notifications.models import FailedChange, MetricValue
from notifications.poller import Poller
from notifications.sources.frameworks import capture, changes
from notifications.sources.frameworks.source import FrameworkSource
from notifications.sources.ingest import line
from notifications.sources.ingest.line import New
from notifications.sources.ingest.models import Kind
from preferences.kinds import Event
from tests.cluster import ALL_EVENTS, ended, started, submit, told, update
from tests.database import sql
from tests.lives import LIVES, OOM, RUN
from tests.pollers import drain, look_after, start_poller
from tests.scrapes import Labels, scrape

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "a batch each"])
@pytest.mark.parametrize("life", LIVES)
def test_a_life(life: str, together: bool) -> None:
    steps, state, end, waits = LIVES[life]
    name = submit(virtualCluster="vc1")
    for step in steps:
        if not together:
            drain()
        update(name, **step)
    drain()
    now = scrape()
    assert now.counts("jobs") == {(state, "vc1"): 1}
    assert now.counts("job_ends_total") == ({(*end, "vc1"): 1} if end else {})
    assert now["job_waiting_seconds_count"] == waits


def test_how_long_jobs_waited() -> None:
    for hours in (0, 2, 3, 24 * 30):
        update(submit(f"job-{hours}", submissionTime=datetime.now(UTC) - hours * HOUR), **started())
    drain()
    now = scrape()
    assert now.buckets("job_waiting_seconds") == {"1.0": 1, "14400.0": 2, "+Inf": 1}
    assert now["job_waiting_seconds_sum"] == pytest.approx((2 + 3 + 24 * 30) * 3600, abs=60)


def test_what_the_poller_says_of_itself() -> None:
    for number in range(3):
        update(submit(f"job-{number}"), state="FAILED")
    assert scrape()["changes_pending"] == 6
    drain()
    now = scrape()
    assert now["changes_pending"] == 0
    assert now["change_to_commit_seconds_count"] == 6
    assert 0 < now["change_to_commit_seconds_sum"] < 6 * 60
    assert now["poll_seconds_count"] == 1, "polls with nothing due do not count"
    assert now.counts("notifications_total") == {("failed",): 3}


def test_what_came_in_over_http_waits_too() -> None:
    line.put([New("alert:1", Kind.ALERT, "alice", {}), New("alert:2", Kind.ALERT, "alice", {})])
    assert scrape()["changes_pending"] == 2


def everything() -> dict[tuple[str, Labels], float]:
    return {(one.name, tuple(one.labels)): one.value for one in MetricValue.objects.all()}


class TestEachOnce:
    def test_a_batch_that_is_rolled_back_leaves_no_trace(self) -> None:
        update(submit(), **RUN)
        drain()
        before = everything()
        update(submit("other"), **OOM)
        with transaction.atomic():
            assert Poller().run_once()
            assert everything() != before
            transaction.set_rollback(True)
        assert everything() == before
        drain()
        assert scrape().counts("jobs") == {("FAILED", "default"): 1, ("RUNNING", "default"): 1}

    def test_a_change_that_is_put_aside_is_counted_once(self) -> None:
        name = submit(user="../admin")
        update(name, **OOM)
        drain()
        assert FailedChange.objects.count() == 2
        for _ in range(2):
            assert scrape().counts("jobs") == {("FAILED", "default"): 1}
            assert scrape().counts("job_ends_total") == {("user", "FAILED", "default"): 1}
            changes.try_again(FailedChange.objects.values_list("id", flat=True))
            drain()

    def test_a_change_that_cannot_be_stored_is_counted_when_it_can(self) -> None:
        sql("ALTER TABLE notifications_notification ADD CONSTRAINT refused CHECK (event <> 'failed')")
        update(submit(), **OOM)
        drain()
        assert scrape().counts("jobs") == {("WAITING", "default"): 1}
        sql("ALTER TABLE notifications_notification DROP CONSTRAINT refused")
        changes.try_again(FailedChange.objects.values_list("id", flat=True))
        drain()
        assert told() == [("failed", 0)]
        assert scrape().counts("jobs") == {("FAILED", "default"): 1}
        assert scrape().counts("job_ends_total") == {("user", "FAILED", "default"): 1}

    def test_a_change_that_cannot_be_stored_is_in_the_table_that_a_scan_counts(self) -> None:
        sql("ALTER TABLE notifications_notification ADD CONSTRAINT refused CHECK (event <> 'failed')")
        update(submit(), **OOM)
        drain()
        sql("ALTER TABLE notifications_notification DROP CONSTRAINT refused")
        FrameworkSource().reconcile()
        assert scrape().counts("jobs") == {("FAILED", "default"): 1}
        changes.try_again(FailedChange.objects.values_list("id", flat=True))
        drain()
        assert scrape().counts("jobs") == {("FAILED", "default"): 1}

    def test_what_a_person_asks_to_be_told_is_no_change(self) -> None:
        name = submit(retries=None)
        update(name, state="FAILED")
        drain()
        before = everything()
        ((submitted,),) = sql('SELECT "submissionTime" FROM frameworks')
        changes.queue_present_state(
            framework_name=name, submission_time=submitted, events=[Event.FAILED, Event.RUNNING]
        )
        drain()
        after = everything()
        assert {row for row in after if after[row] != before.get(row)} <= {
            row for row in after if row[0] == "poll_seconds"
        }


class TestTheScan:
    """Jobs by state are set right by it; what has come to an end unseen is not made up."""

    def test_jobs_from_before_the_capture(self) -> None:
        capture.remove()
        for number in range(5):
            submit(f"job-{number}", virtualCluster=f"vc{number % 2}", **ended("SUCCEEDED"))
        capture.install()
        start_poller()
        now = scrape()
        assert now.counts("jobs") == {("SUCCEEDED", "vc0"): 3, ("SUCCEEDED", "vc1"): 2}
        assert now.counts("job_ends_total") == {}

    def test_changes_that_wait_in_the_queue_are_not_counted_twice(self) -> None:
        waits, runs = submit("waits"), submit("runs")
        update(runs, **started())
        drain()
        update(waits, **started())
        update(runs, **ended())
        submit("new")
        FrameworkSource().reconcile()
        assert scrape().counts("jobs") == {("RUNNING", "default"): 1, ("WAITING", "default"): 1}
        drain()
        assert scrape().counts("jobs") == {
            ("FAILED", "default"): 1,
            ("RUNNING", "default"): 1,
            ("WAITING", "default"): 1,
        }

    def test_rows_that_were_deleted(self) -> None:
        for number in range(3):
            submit(f"job-{number}")
        drain()
        sql("DELETE FROM frameworks WHERE \"jobName\" <> 'alice~job-0'")
        drain()
        assert scrape().counts("jobs") == {("WAITING", "default"): 3}
        start_poller()
        assert scrape().counts("jobs") == {("WAITING", "default"): 1}

    def test_a_job_that_was_deleted_before_its_changes_were_taken(self) -> None:
        update(submit(), **OOM)
        sql("DELETE FROM frameworks")
        drain()
        assert scrape().counts("jobs") == {}
        assert scrape().counts("job_ends_total") == {("unknown", "FAILED", "unknown"): 1}

    def test_what_was_missed_while_the_capture_was_away(self) -> None:
        name = submit()
        drain()
        look_after()
        capture.remove()
        look_after()
        update(name, **ended())
        capture.install()
        look_after()
        drain()
        now = scrape()
        assert now.counts("jobs") == {("FAILED", "default"): 1}
        assert now.counts("job_ends_total") == {}
        assert now["change_to_commit_seconds_count"] == 1, "the submission"

    def test_it_may_be_repeated(self) -> None:
        update(submit(), **RUN)
        for _ in range(3):
            start_poller()
        assert scrape().counts("jobs") == {("RUNNING", "default"): 1}

    def test_it_agrees_with_the_table_after_many_lives(self) -> None:
        for number, (steps, *_) in enumerate(LIVES.values()):
            for copy in range(number + 1):
                name = submit(f"job-{number}-{copy}", virtualCluster=f"vc{copy % 3}")
                for step in steps:
                    update(name, **step)
        drain()
        counted = scrape().counts("jobs")
        assert sum(counted.values()) == sum(range(1, len(LIVES) + 1))
        start_poller()
        assert scrape().counts("jobs") == counted


@pytest.mark.django_db(transaction=True)
def test_a_batch_adds_to_the_metrics_by_one_statement(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(200):
        update(submit(f"job-{number}", virtualCluster=f"vc{number % 50}", **ALL_EVENTS), **RUN)
    poller = Poller()
    with django_assert_max_num_queries(50) as captured:
        assert poller.run_once()
    statements = [query["sql"] for query in captured if "notifcenter_store" in query["sql"]]
    assert [one.startswith("EXECUTE") for one in statements] in ([True], [False, True])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM notifications_metricvalue WHERE name = 'jobs' AND value = 4")
        assert cursor.fetchone()[0] == 50
