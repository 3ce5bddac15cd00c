"""What is gone is not told again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.models import (
    Delivery,
    DeliveryState,
    Notification,
    PollerState,
)
from notifications.sources.frameworks import capture, changes
from notifications.sources.frameworks.reconcile import reconcile
from notifications.sources.ingest import line
from preferences.kinds import Event
from tests.cluster import ALL_EVENTS, RESET, captured, ended, started, submit, told, update
from tests.database import sql
from tests.pollers import drain, look_after, start_poller
from tests.retention import DAYS, OLD, age, finished_job, prune, sent
from tests.wishes import everybody_wants_everything


@pytest.mark.django_db
class TestNothingIsToldAgain:
    @pytest.fixture(autouse=True)
    def installed_long_ago(self) -> None:
        look_after()
        PollerState.objects.update(installed_at=timezone.now() - 3 * OLD)
        everybody_wants_everything()

    def test_when_the_cluster_resets_its_columns(self) -> None:
        name = finished_job()
        assert prune().notifications == 2
        update(name, jobPriority="test", **RESET)
        assert reconcile() == 0, "it would be found again at every start"
        start_poller()
        assert told(name) == []

    def test_when_the_capture_was_away_and_the_row_was_written_again(self) -> None:
        name = finished_job()
        prune()
        capture.remove()
        look_after()
        update(name, jobPriority="test", **RESET)
        capture.install()
        start_poller()
        assert told(name) == []

    def test_when_somebody_switches_the_event_on(self) -> None:
        name = finished_job()
        prune()
        submitted: datetime = sql('SELECT "submissionTime" FROM frameworks WHERE name = %s', name)[0][0]
        changes.queue_present_state(framework_name=name, submission_time=submitted, events=[Event.SUCCEEDED])
        assert len(captured()) == 1
        drain()
        assert told(name) == []

    def test_when_the_job_goes_on(self) -> None:
        """A job that runs for longer than is kept keeps its keys."""
        name = submit(**ALL_EVENTS)
        update(name, **started())
        update(name, state="WAITING", retries=1)
        update(name, **started())
        drain()
        before = told(name)
        age(OLD)
        assert prune().notifications == 0
        update(name, state="WAITING", retries=1)
        update(name, **started())
        drain()
        assert told(name) == before == [("running", 0), ("retried", 1)]
        update(name, **ended())
        drain()
        assert told(name) == [*before, ("failed", 0)]

    def test_when_a_long_job_has_ended_only_now(self) -> None:
        """Its row is still one of those that are looked at, also for what happened long before its end."""
        name = submit(**ALL_EVENTS)
        update(name, **started())
        update(name, state="WAITING", retries=1)
        update(name, **started())
        drain()
        age(OLD)
        update(name, **ended())
        drain()
        before = told(name)
        prune()
        update(name, jobPriority="test", **RESET)
        start_poller()
        assert told(name) == before == [("running", 0), ("retried", 1), ("failed", 0)]
        age(OLD)
        assert prune().notifications == 3

    def test_a_new_job_of_the_same_name_is_told(self) -> None:
        name = finished_job()
        prune()
        sql("DELETE FROM frameworks")
        submit(**ALL_EVENTS)
        update(name, **started())
        drain()
        assert told(name) == [("running", 0)]

    def test_when_an_alert_that_has_fired_since_then_comes_again(self, alice: User) -> None:
        starts_at = timezone.now() - OLD
        alert = line.New(
            f"idle:{starts_at.isoformat()}",
            "alert",
            "alice",
            {
                "fingerprint": "idle",
                "starts_at": starts_at.isoformat(),
                "job_name": "",
                "virtual_cluster": "",
                "details": {},
            },
        )
        assert line.put([alert])
        drain()
        assert Notification.objects.count() == 1
        Delivery.objects.update(state=DeliveryState.SENT)
        age(OLD)
        sql("UPDATE notifications_received SET received_at = received_at - %s", OLD)
        done = prune()
        assert (done.notifications, done.received) == (1, 1)
        assert line.put([alert])
        drain()
        assert Notification.objects.count() == 0

    def test_the_poller_knows_before_anything_is_gone(self) -> None:
        finished_job()
        prune(wait=lambda _: True)
        told_from = PollerState.objects.get().told_from
        assert told_from
        assert abs(timezone.now() - timedelta(days=DAYS - 1) - told_from) < timedelta(minutes=1)
        prune(days=DAYS * 2)
        assert PollerState.objects.get().told_from == told_from, (
            "keeping more does not bring back what is gone"
        )

    def test_without_the_clusters_table_nothing_is_removed(self, alice: User) -> None:
        sent(alice)
        age(OLD)
        sql("ALTER TABLE frameworks RENAME TO elsewhere")
        with pytest.raises(CommandError, match="nobody can tell which jobs have ended"):
            call_command("prune_notifications", "--days", str(DAYS))
        assert Notification.objects.count() == 1
