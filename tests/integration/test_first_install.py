"""Of jobs older than the first install only what their columns ask for is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import Notification, PollerState, WaitingJob
from notifications.sources.frameworks import capture
from tests.cluster import ALL_EVENTS, RESET, asking, ended, started, submit, told, update
from tests.pollers import drain, start_poller
from tests.wishes import everybody_wants_everything

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LONG_AGO = timedelta(days=40)


class TestOlderThanTheFirstInstall:
    @pytest.fixture(autouse=True)
    def without_capture_so_far(self, db: None) -> None:
        """The rows of these tests are written without capture; then comes the first install."""
        capture.remove()
        PollerState.objects.all().delete()

    @pytest.mark.parametrize(
        "state", ["WAITING", "RUNNING", "STOPPING", "SUCCEEDED", "FAILED", "STOPPED", "UNKNOWN"]
    )
    def test_the_state_it_had_is_not_told(self, state: str) -> None:
        at = timezone.now() - HOUR
        name = submit(state=state, launchTime=at, completionTime=at, updatedAt=at, submissionTime=at - HOUR)
        everybody_wants_everything()
        capture.install()
        start_poller()
        assert told(name) == []

    @pytest.mark.parametrize("state", ["RUNNING", "SUCCEEDED", "FAILED", "STOPPED"])
    def test_nor_when_the_cluster_writes_it_again(self, state: str) -> None:
        at = timezone.now() - HOUR
        name = submit(state=state, launchTime=at, completionTime=at, submissionTime=at - HOUR, updatedAt=at)
        everybody_wants_everything()
        capture.install()
        start_poller()
        update(name, state=state)
        start_poller()
        update(name, state=state, **RESET)
        start_poller()
        assert told(name) == []

    def test_what_happens_after_is_told(self) -> None:
        at = timezone.now() - HOUR
        name = submit(submissionTime=at, **started(HOUR))
        everybody_wants_everything()
        capture.install()
        start_poller()
        update(name, **ended())
        drain()
        assert told(name) == [("failed", 0)]

    @pytest.mark.parametrize(
        ("state", "row", "expected"),
        [
            ("FAILED", asking("Failed"), [("failed", 0)]),
            ("FAILED", {**asking("Failed"), "notifiedAtFailed": True}, []),
            ("FAILED", {**asking("Failed"), "notifiedAtFailed": None}, [("failed", 0)]),
            ("FAILED", asking("Succeeded"), []),
            ("SUCCEEDED", asking("Succeeded", "Running"), [("running", 0), ("succeeded", 0)]),
            ("SUCCEEDED", {**asking("Succeeded", "Running"), "notifiedAtRunning": True}, [("succeeded", 0)]),
            ("STOPPED", asking("Stopped"), [("stopped", 0)]),
            ("RUNNING", asking("Running"), [("running", 0)]),
            ("RUNNING", {"retries": 3, **asking("Retried")}, [("retried", 3)]),
            ("RUNNING", {"retries": 3, "notifiedAtRetried": 3, **asking("Retried")}, []),
            ("RUNNING", {"retries": 3, "notifiedAtRetried": None, **asking("Retried")}, [("retried", 3)]),
            ("WAITING", ALL_EVENTS, []),
        ],
    )  # fmt: skip
    def test_what_its_columns_ask_for_and_have_not_got_is_told(
        self, state: str, row: dict[str, Any], expected: list[tuple[str, int]]
    ) -> None:
        at = timezone.now() - LONG_AGO
        past = {"submissionTime": at, "updatedAt": at, "launchTime": at, "completionTime": at + HOUR}
        name = submit(state=state, **{**past, **row})
        capture.install()
        start_poller()
        start_poller()
        assert told(name) == expected
        assert Notification.objects.values("event", "ordinal").distinct().count() == len(expected)

    def test_a_job_that_never_ran_is_not_said_to_have_run(self) -> None:
        at = timezone.now() - LONG_AGO
        name = submit(
            submissionTime=at, state="FAILED", launchTime=at, completionTime=at, **asking("Running", "Failed")
        )
        capture.install()
        start_poller()
        start_poller()
        assert told(name) == [("failed", 0)]

    def test_its_wait_counts_from_the_install(self) -> None:
        submit(submissionTime=timezone.now() - LONG_AGO, updatedAt=timezone.now() - LONG_AGO)
        capture.install()
        start_poller()
        assert timezone.now() - WaitingJob.objects.get().since < timedelta(minutes=1)
        assert told() == []
