"""The page that Prometheus reads: who may read it, what labels it bears, and what it says of deliveries."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from notifications.delivery import queue
from notifications.sources.frameworks import counts
from notifications.sources.frameworks.source import FrameworkSource
from preferences.kinds import Channel
from tests.cluster import submit, update
from tests.database import sql
from tests.deliveries import make_delivery, make_due
from tests.lives import OOM, RUN
from tests.pollers import drain
from tests.programs import needs
from tests.scrapes import scrape

pytestmark = pytest.mark.django_db


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
