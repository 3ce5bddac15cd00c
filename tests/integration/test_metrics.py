"""What /metrics counts: from changes, each once, whatever happens to the batch that holds them."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from notifications.delivery import queue
from notifications.models import FailedChange, MetricValue
from notifications.poller import Poller
from notifications.sources.frameworks import capture, changes, counts
from notifications.sources.frameworks.source import FrameworkSource
from notifications.sources.ingest import line
from notifications.sources.ingest.line import New
from notifications.sources.ingest.models import Kind
from preferences.kinds import Channel, Event
from tests.cluster import ALL_EVENTS, ended, snapshot, started, submit, told, update
from tests.database import sql
from tests.deliveries import make_delivery, make_due
from tests.pollers import drain, look_after, start_poller
from tests.programs import needs
from tests.scrapes import Labels, scrape

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
Step = dict[str, Any]

RAN_AT = "2026-01-01T00:00:00Z"
RUN: Step = {"state": "RUNNING"}
OOM: Step = {"state": "FAILED", "snapshot": snapshot(ran_at=RAN_AT, code=226)}
NODE_LOST: Step = {"state": "FAILED", "snapshot": snapshot(ran_at=RAN_AT, code=-1001)}
NO_ROOM: Step = {"state": "FAILED", "snapshot": snapshot(ran_at=RAN_AT, code=251)}
NEVER_CREATED: Step = {"state": "FAILED", "snapshot": snapshot(code=-1100)}
STOP: Step = {"state": "STOPPED", "snapshot": snapshot(ran_at=RAN_AT, code=-210)}

LIVES: dict[str, tuple[list[Step], str, Labels | None, int]] = {
    # the steps after the submission, its state, how it ended (causer, state), how many waits are known
    "waits": ([], "WAITING", None, 0),
    "runs": ([RUN], "RUNNING", None, 1),
    "succeeds": ([RUN, {"state": "SUCCEEDED"}], "SUCCEEDED", ("none", "SUCCEEDED"), 1),
    "fails by the user": ([RUN, OOM], "FAILED", ("user", "FAILED"), 1),
    "is stopped": ([RUN, {"state": "STOPPING"}, STOP], "STOPPED", ("user", "STOPPED"), 1),
    "fails by the platform": ([RUN, NODE_LOST], "FAILED", ("platform", "FAILED"), 1),
    "fails for want of resources": ([RUN, NO_ROOM], "FAILED", ("resources", "FAILED"), 1),
    "never ran": ([NEVER_CREATED], "FAILED", ("user", "FAILED"), 0),
    "ran unseen": ([OOM], "FAILED", ("user", "FAILED"), 1),
    "ran and succeeded unseen": ([{"state": "SUCCEEDED"}], "SUCCEEDED", ("none", "SUCCEEDED"), 1),
    "fails and nobody knows why": ([RUN, {"state": "FAILED"}], "FAILED", ("unknown", "FAILED"), 1),
    "is retried": ([RUN, {"state": "WAITING", "retries": 1}, RUN], "RUNNING", None, 1),
    "is written again": ([RUN, RUN, {"jobPriority": "test"}, RUN], "RUNNING", None, 1),
    "starts over": ([RUN, {"state": "WAITING"}], "WAITING", None, 1),
    "is unknown for a while": ([RUN, {"state": "UNKNOWN"}, RUN], "RUNNING", None, 1),
    "has a state of another age": ([{"state": "DREAMING"}], "UNKNOWN", None, 0),
    "has no state": ([{"state": None}], "UNKNOWN", None, 0),
    "comes back from nowhere": ([{"state": None}, RUN], "RUNNING", None, 1),
}


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


HOSTILE = 'a"b\\c\nd</script>\u202e\x1b[31m{x="y"} 1\r'


class TestLabels:
    def test_a_hostile_name(self) -> None:
        submit(virtualCluster=HOSTILE)
        drain()
        clean = 'a"b\\cd</script>[31m{x="y"} 1'
        assert scrape().counts("jobs") == {("WAITING", clean): 1}
        FrameworkSource().reconcile()
        assert scrape().counts("jobs") == {("WAITING", clean): 1}
        text = Client().get("/metrics").content.decode()
        assert 'notifcenter_jobs{state="WAITING",virtual_cluster="a\\"b\\\\cd' in text

    @pytest.mark.parametrize("name", [None, "", "\n"])
    def test_no_name(self, name: str | None) -> None:
        submit(virtualCluster=name)
        drain()
        assert scrape().counts("jobs") == {("WAITING", "unknown"): 1}

    def test_a_long_name(self) -> None:
        submit(virtualCluster="x" * 256)
        drain()
        assert scrape().counts("jobs") == {("WAITING", "x" * 64): 1}

    def test_too_many_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(counts, "MAX_VIRTUAL_CLUSTERS", 2)
        names = [submit(f"job-{number}", virtualCluster=f"vc{number}") for number in range(4)]
        drain()
        now = scrape().counts("jobs")
        assert now == {("WAITING", "vc0"): 1, ("WAITING", "vc1"): 1, ("WAITING", "other"): 2}
        for name in names:
            update(name, **RUN)
        drain()  # by another poller, which has to know the names of the first
        now = scrape().counts("jobs")
        assert now == {("RUNNING", "vc0"): 1, ("RUNNING", "vc1"): 1, ("RUNNING", "other"): 2}

    def test_a_scan_of_too_many_names_keeps_the_largest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(counts, "MAX_VIRTUAL_CLUSTERS", 1)
        for number in range(7):
            submit(f"job-{number}", virtualCluster="large" if number > 3 else f"vc{number}")
        FrameworkSource().reconcile()
        monkeypatch.setattr(counts, "MAX_SCANNED_NAMES", 2)
        for _ in range(2):
            FrameworkSource().reconcile()
            drain()
            assert scrape().counts("jobs") == {("WAITING", "large"): 3, ("WAITING", "other"): 4}


class TestDeliveries:
    def test_each_attempt_counts_once_with_its_outcome(self, alice: User) -> None:
        for _ in range(5):
            make_delivery(alice)
        sent, later, dropped, broken, back = queue.claim(Channel.EMAIL, limit=5)
        assert queue.mark_sent(sent)
        assert queue.mark_retry(later, error="busy", pause_seconds=60)
        assert queue.mark_dropped(dropped, reason="muted")
        assert queue.mark_failed(broken, error="no such user")
        assert queue.give_back(back)
        assert not queue.mark_sent(sent), "settled already"
        assert scrape().counts("deliveries_total") == {
            ("email", outcome): 1 for outcome in ("sent", "retry", "dropped", "failed")
        }

    def test_a_settling_that_is_rolled_back_does_not_count(self, alice: User) -> None:
        make_delivery(alice)
        (taken,) = queue.claim(Channel.EMAIL, limit=1)
        with transaction.atomic():
            queue.mark_sent(taken)
            transaction.set_rollback(True)
        assert scrape().counts("deliveries_total") == {}
        queue.mark_sent(taken)
        assert scrape().counts("deliveries_total") == {("email", "sent"): 1}

    def test_the_oldest_unsent(self, alice: User) -> None:
        assert scrape()["oldest_unsent_seconds"] == 0
        delivery = make_delivery(alice)
        make_due(delivery)
        sql("UPDATE notifications_delivery SET planned_at = now() - interval '10 minutes'")
        assert 600 <= scrape()["oldest_unsent_seconds"] < 900
        sql("UPDATE notifications_delivery SET planned_at = now() + interval '10 minutes'")
        assert scrape()["oldest_unsent_seconds"] == 0


class TestThePage:
    def test_series_begin_with_zero(self) -> None:
        submit(virtualCluster="vc1")
        drain()
        samples = scrape().samples
        assert samples["notifcenter_notifications_total"][("failed",)] == 0
        assert samples["notifcenter_deliveries_total"][("email", "failed")] == 0
        assert samples["notifcenter_job_ends_total"][("platform", "FAILED", "vc1")] == 0
        assert samples["notifcenter_jobs"][("RUNNING", "vc1")] == 0

    def test_open_to_everybody_without_a_token(self) -> None:
        answer = Client().get("/metrics")
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert Client().post("/metrics").status_code == 405

    @pytest.mark.parametrize(
        ("header", "status"),
        [
            ("Bearer the-token", 200),
            ("bearer  the-token ", 200),
            ("Bearer the-token-", 401),
            ("Bearer ", 401),
            ("Bearer \xe4", 401),
            ("Basic the-token", 401),
            ("the-token", 401),
            ("", 401),
        ],
    )
    def test_with_a_token(self, settings: Any, header: str, status: int) -> None:
        settings.METRICS_TOKEN = "the-token"
        answer = Client().get("/metrics", headers={"Authorization": header})
        assert answer.status_code == status
        assert answer.get("WWW-Authenticate", "") == ("" if status == 200 else 'Bearer realm="metrics"')

    def test_a_scrape_costs_the_same_for_many_jobs(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(20):
            update(submit(f"job-{number}", virtualCluster=f"vc{number}"), **RUN)
        drain()
        with django_assert_num_queries(
            6
        ) as captured:  # a savepoint, its release, the time limit, three looks
            scrape()
        assert not any("frameworks" in query["sql"] for query in captured)

    def test_counting_what_waits_stops_somewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("notifications.metrics.MOST_PENDING", 3)
        for number in range(5):
            submit(f"job-{number}")
        assert scrape()["changes_pending"] == 3

    def test_our_tables_are_missing(self) -> None:
        sql("ALTER TABLE notifications_metricvalue RENAME TO elsewhere")
        answer = Client().get("/metrics")
        assert (answer.status_code, answer.content) == (
            503,
            b"The database does not answer; /healthz says more.\n",
        )

    @needs("promtool")
    def test_promtool_finds_nothing_to_complain_of(self) -> None:
        update(submit(virtualCluster=HOSTILE), **OOM)
        drain()
        text = Client().get("/metrics").content
        found = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")


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
