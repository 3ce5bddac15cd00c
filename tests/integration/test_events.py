"""The table of cases: what the cluster writes, and what people are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from notifications.models import CapturedChange, FailedChange, Notification, WaitingJob
from notifications.poller import Poller
from tests.cluster import ALL_EVENTS, RESET, asking, columns, snapshot, submit, told, update

pytestmark = pytest.mark.django_db


def poll() -> None:
    poller = Poller()
    while poller.run_once():
        pass


Step = dict[str, Any]
NOW = "2026-01-01T10:00:00Z"

CASES: dict[str, tuple[list[Step], list[tuple[str, int]]]] = {
    "ran and succeeded": (
        [{"state": "RUNNING"}, {"state": "SUCCEEDED"}],
        [("running", 0), ("succeeded", 0)],
    ),
    "ran and failed in the same second, never seen running": (
        [{"state": "FAILED", "snapshot": snapshot(ran_at=NOW, code=1)}],
        [("running", 0), ("failed", 0)],
    ),
    "failed without ever running": (
        [{"state": "FAILED", "snapshot": snapshot(code=254, phrase="ContainerImageNotExists")}],
        [("failed", 0)],
    ),
    "could not be created": (
        [{"state": "FAILED", "appExitCode": -1100, "snapshot": snapshot(ran_at=NOW, code=-1100)}],
        [("failed", 0)],
    ),
    "failed with launchTime set, which proves nothing": (
        [{"state": "FAILED", "launchTime": datetime.now(UTC), "snapshot": snapshot(code=254)}],
        [("failed", 0)],
    ),
    "retries captured singly": (
        [{"state": "RUNNING"}, {"state": "WAITING", "retries": 1}, {"state": "RUNNING"}, {"retries": 2}],
        [("running", 0), ("retried", 1), ("retried", 2)],
    ),
    "retries in one update": (
        [{"state": "RUNNING"}, {"retries": 3}],
        [("running", 0), ("retried", 3)],
    ),
    "runs again after a retry": (
        [
            {"state": "RUNNING"},
            {"state": "WAITING", "retries": 1},
            {"state": "RUNNING"},
            {"state": "SUCCEEDED"},
        ],
        [("running", 0), ("retried", 1), ("succeeded", 0)],
    ),
    "first run hidden by a retry": (
        [{"state": "WAITING", "retries": 1, "snapshot": snapshot(ran_at=NOW, code=1)}, {"state": "RUNNING"}],
        [("running", 0), ("retried", 1)],
    ),
    "first attempt never ran, the second did": (
        [
            {"snapshot": snapshot(code=254, ended_at=NOW)},
            {"state": "WAITING", "retries": 1, "snapshot": snapshot()},
            {"state": "RUNNING", "snapshot": snapshot(ran_at=NOW)},
        ],
        [("retried", 1), ("running", 0)],
    ),
    "stopped by the user, which resets the marks": (
        [
            {"state": "RUNNING"},
            {"executionType": "Stop", **RESET},
            {"state": "STOPPING"},
            {"state": "STOPPED"},
        ],
        [("running", 0), ("stopped", 0)],
    ),
    "stopped while waiting": (
        [{"executionType": "Stop", **RESET}, {"state": "STOPPING"}, {"state": "STOPPED"}],
        [("stopped", 0)],
    ),
    "ran and stopped, never seen running": (
        [{"state": "STOPPING", "snapshot": snapshot(ran_at=NOW)}, {"state": "STOPPED"}],
        [("running", 0), ("stopped", 0)],
    ),
    "a request change after the end": (
        [{"state": "RUNNING"}, {"state": "SUCCEEDED"}, RESET, {"jobPriority": "test", **RESET}],
        [("running", 0), ("succeeded", 0)],
    ),
    "deleted by hand in Kubernetes, runs again": (
        [{"state": "RUNNING"}, {"state": "WAITING", "snapshot": snapshot()}, {"state": "RUNNING"}],
        [("running", 0)],
    ),
    "succeeded without being seen running and without a snapshot": (
        [{"state": "SUCCEEDED"}],
        [("running", 0), ("succeeded", 0)],
    ),
    "unknown to the cluster for a while": (
        [{"state": "RUNNING"}, {"state": "UNKNOWN"}, {"state": "RUNNING"}, {"state": "FAILED"}],
        [("running", 0), ("failed", 0)],
    ),
}


@pytest.mark.parametrize("every_step", [True, False], ids=["polled at every step", "polled at the end"])
@pytest.mark.parametrize("case", CASES)
def test_events_of_a_job(case: str, every_step: bool) -> None:
    steps, expected = CASES[case]
    name = submit(**ALL_EVENTS)
    for step in steps:
        update(name, **step)
        if every_step:
            poll()
    poll()
    assert told(name) == expected
    assert not CapturedChange.objects.exists()
    assert not FailedChange.objects.exists()


def test_the_same_state_written_a_hundred_times_tells_nothing_more() -> None:
    name = submit(**ALL_EVENTS)
    update(name, state="RUNNING")
    for _ in range(100):
        update(name, state="RUNNING", snapshot="{}")
    assert CapturedChange.objects.count() == 2
    poll()
    assert told(name) == [("running", 0)]


def test_several_retries_at_once_are_told_as_one() -> None:
    name = submit(**ALL_EVENTS)
    update(name, retries=3)
    poll()
    assert Notification.objects.get().details["skipped"] == 2


def test_a_job_of_the_same_name_submitted_again_is_a_new_job() -> None:
    name = submit(**ALL_EVENTS)
    update(name, state="RUNNING")
    poll()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM frameworks")
    submit(**ALL_EVENTS)
    update(name, state="RUNNING")
    poll()
    assert told(name) == [("running", 0), ("running", 0)]
    assert Notification.objects.values("submission_time").distinct().count() == 2


def test_a_row_deleted_before_the_poll_is_still_told() -> None:
    name = submit()
    update(name, state="FAILED")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM frameworks")
    poll()
    assert told(name) == [("failed", 0)]


def test_the_marks_mirror_what_was_told() -> None:
    name = submit(**ALL_EVENTS)
    for step in ({"state": "RUNNING"}, {"retries": 2}, {"state": "FAILED"}):
        update(name, **step)
    poll()
    marks = (
        "notifiedAtRunning",
        "notifiedAtSucceeded",
        "notifiedAtFailed",
        "notifiedAtStopped",
        "notifiedAtRetried",
    )
    assert columns(name, *marks) == (True, False, True, False, 2)


def test_marks_that_the_cluster_reset_come_back_with_the_next_event() -> None:
    name = submit(**ALL_EVENTS)
    update(name, state="RUNNING")
    poll()
    update(name, **RESET)
    update(name, state="STOPPED")
    poll()
    assert columns(name, "notifiedAtRunning", "notifiedAtStopped") == (True, True)
    assert told(name) == [("running", 0), ("stopped", 0)]


def test_marks_of_the_notifier_before_us_are_never_taken_back() -> None:
    name = submit(**asking("Failed"), retries=3, notifiedAtRetried=3, notifiedAtRunning=True)
    update(name, state="FAILED")
    poll()
    assert columns(name, "notifiedAtRetried", "notifiedAtRunning", "notifiedAtFailed") == (3, True, True)


def test_every_event_carries_the_time_of_its_change() -> None:
    before = datetime.now(UTC)
    name = submit(**ALL_EVENTS)
    update(name, state="RUNNING")
    update(name, state="SUCCEEDED")
    poll()
    running, succeeded = Notification.objects.order_by("id")
    assert before < running.occurred_at < succeeded.occurred_at < datetime.now(UTC)


def test_an_owner_never_seen_before_gets_an_account_that_cannot_log_in() -> None:
    update(submit(user="new.user-1"), state="FAILED")
    poll()
    owner = User.objects.get(username="new.user-1")
    assert not owner.has_usable_password()
    assert owner.notifications.count() == 1


@pytest.mark.parametrize(
    ("user", "state", "says"),
    [
        ("../admin", "FAILED", "no valid user name"),
        ("", "FAILED", "no owner"),
        (None, "FAILED", "no owner"),
        ("x" * 151, "FAILED", "longer than 150"),
        ("alice", "EXPLODED", "'EXPLODED' is not known"),
        ("alice", None, "None is not known"),
    ],
)
def test_a_change_that_cannot_be_digested_is_put_aside(
    user: str | None, state: str | None, says: str
) -> None:
    bad, good = submit("bad", user), submit("good", "bob")
    poll()
    FailedChange.objects.all().delete()  # the new row of a nameless owner
    update(bad, state=state)
    update(good, state="FAILED")
    poll()
    assert says in FailedChange.objects.get().error
    assert told() == [("failed", 0)]


def test_the_job_name_loses_the_owners_prefix_only() -> None:
    update(submit("bob~resnet"), state="FAILED")
    poll()
    assert Notification.objects.get().job_name == "bob~resnet"


BAD_SNAPSHOTS = {
    "no JSON": "not json",
    "null": "null",
    "a list": "[]",
    "wrong types": '{"status": {"attemptStatus": {"completionStatus": {"code": "1"}}}}',
    "5 MB": '{"status": "' + "x" * 5_000_000 + '"}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", BAD_SNAPSHOTS.values(), ids=BAD_SNAPSHOTS)
def test_a_broken_snapshot_costs_the_diagnosis_only(text: str) -> None:
    update(submit(), state="FAILED", appExitCode=137, snapshot=text)
    poll()
    assert Notification.objects.get().details["exit_code"] == 137


def test_a_job_waits_too_long_once_per_wait() -> None:
    past = datetime.now(UTC) - timedelta(hours=3)
    name = submit()
    poll()
    WaitingJob.objects.update(since=past, due_at=past)
    poll()
    poll()
    assert told(name) == [("waiting_too_long", 0)]
    assert Notification.objects.get().occurred_at == past + timedelta(minutes=60)
    update(name, state="RUNNING")
    update(name, state="WAITING", retries=1)
    poll()
    WaitingJob.objects.update(since=past, due_at=past)
    poll()
    assert told(name) == [("waiting_too_long", 0), ("waiting_too_long", 1)]


def test_a_job_that_left_waiting_does_not_wait_too_long() -> None:
    name = submit()
    poll()
    WaitingJob.objects.update(due_at=datetime.now(UTC) - timedelta(minutes=1))
    update(name, state="RUNNING")
    CapturedChange.objects.all().delete()  # even if the change itself went missing
    poll()
    assert told(name) == []
    assert not WaitingJob.objects.exists()
