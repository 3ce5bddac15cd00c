"""The simulated cluster writes what OpenPAI writes."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from notifications.sources.frameworks.demo import failures, lives
from notifications.sources.frameworks.demo.jobs import FINAL_STATES, SUCCESS, Job, Request, Role
from notifications.sources.frameworks.demo.lives import LIVES, LONGEST_SECONDS, Life
from notifications.sources.frameworks.demo.rows import Rows
from notifications.sources.frameworks.demo.simulation import Simulation
from notifications.sources.frameworks.diagnosis import Diagnosis, RowFacts, diagnose
from notifications.sources.frameworks.models import CapturedChange
from tests.database import sql

START = datetime(2026, 5, 4, 12, 0, 0, 250_000, tzinfo=UTC)
WISHES = {"running": True, "failed": True}


def row(job: Job) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM frameworks WHERE name = %s", [job.name])
        return dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))


def diagnosis(job: Job) -> Diagnosis:
    columns = row(job)
    facts = RowFacts(
        exit_code=columns["appExitCode"],
        retries=columns["retries"],
        gpus=columns["totalGpuNumber"],
        submission_time=columns["submissionTime"],
        launch_time=columns["launchTime"],
        completion_time=columns["completionTime"],
    )
    return diagnose(columns["snapshot"], facts)


def captured() -> list[tuple[str | None, int | None]]:
    """State and retries after each change that the capture has seen."""
    return list(CapturedChange.objects.order_by("id").values_list("new_state", "new_retries"))


@pytest.fixture
def cluster(db: None) -> Simulation:
    return Simulation(connection, seed=7)


@pytest.fixture
def job(cluster: Simulation) -> Job:
    return cluster.submit(Request("alice", "resnet50-lr3", roles=(Role("worker", 2, 4),), wishes=WISHES))


def live(cluster: Simulation, job: Job, life: Life) -> float:
    """Plays a life to its end, on the clock of the simulation. Returns the seconds that it took."""
    now = START
    cluster._begin(job, life(cluster, job), now)
    while (due := cluster.tick(now)) is not None:
        now = due
    return (now - START).total_seconds()


def test_a_new_job_waits_and_is_written_as_the_cluster_does(job: Job) -> None:
    columns = row(job)
    assert job.name == hashlib.md5(b"alice~resnet50-lr3").hexdigest()
    assert columns["jobName"] == "alice~resnet50-lr3"
    assert (columns["state"], columns["subState"], columns["retries"]) == (
        "WAITING",
        "AttemptCreationPending",
        0,
    )
    assert (columns["totalGpuNumber"], columns["totalTaskNumber"]) == (8, 2)
    assert columns["notificationAtFailed"] is True
    assert columns["notificationAtStopped"] is False
    assert (columns["notifiedAtFailed"], columns["notifiedAtRetried"]) == (False, 0)
    assert json.loads(columns["snapshot"])["metadata"]["labels"]["userName"] == "alice"
    assert captured() == [("WAITING", 0)]


def test_an_unchanged_status_is_written_again_and_captured_never(cluster: Simulation, job: Job) -> None:
    before = row(job)
    for _ in range(3):
        cluster.update_status(job)
    after = row(job)
    assert after.pop("updatedAt") > before.pop("updatedAt")
    assert after == before
    assert captured() == [("WAITING", 0)]


def test_a_request_resets_what_was_notified_and_rewrites_the_wishes(cluster: Simulation, job: Job) -> None:
    sql('UPDATE frameworks SET "notifiedAtRunning" = true, "notifiedAtRetried" = 2 RETURNING 1')
    sql('UPDATE frameworks SET "notificationAtRunning" = false RETURNING 1')
    cluster.request_stop(job)
    columns = row(job)
    assert columns["executionType"] == "Stop"
    assert json.loads(columns["snapshot"])["spec"]["executionType"] == "Stop"
    assert (columns["notifiedAtRunning"], columns["notifiedAtRetried"]) == (False, 0)
    assert columns["notificationAtRunning"] is True
    assert captured() == [("WAITING", 0)]


def test_launch_time_is_the_completion_time_of_a_job_that_never_ran(cluster: Simulation, job: Job) -> None:
    live(cluster, job, lives.lacks_its_image)
    columns, found = row(job), diagnosis(job)
    assert columns["launchTime"] == columns["completionTime"] is not None
    assert found.ran_at is None
    assert (found.details["why"], found.details["task"]) == ("image not found", "worker[1]")


def test_a_job_that_ends_at_once_never_shows_as_running_but_ran(cluster: Simulation, job: Job) -> None:
    live(cluster, job, lives.ends_at_once)
    assert [state for state, _ in captured()] in (["WAITING", "SUCCEEDED"], ["WAITING", "FAILED"])
    found = diagnosis(job)
    assert found.ran_at == found.ended_at is not None
    assert found.details["ran_seconds"] == 0


def test_the_synthetic_failure_has_equal_times_and_never_ran(cluster: Simulation, job: Job) -> None:
    live(cluster, job, lives.cannot_be_created)
    status = json.loads(row(job)["snapshot"])["status"]
    assert status["startTime"] == status["runTime"] == status["completionTime"]
    assert row(job)["appExitCode"] == -1100
    assert diagnosis(job).ran_at is None


@pytest.mark.parametrize(
    ("life", "expected"),
    [
        (lives.succeeds, [("WAITING", 0), ("RUNNING", 0), ("SUCCEEDED", 0)]),
        (lives.fails, [("WAITING", 0), ("RUNNING", 0), ("FAILED", 0)]),
        (lives.lacks_its_image, [("WAITING", 0), ("FAILED", 0)]),
        (lives.cannot_be_created, [("WAITING", 0), ("FAILED", 0)]),
        (lives.is_stopped, [("WAITING", 0), ("RUNNING", 0), ("STOPPING", 0), ("STOPPED", 0)]),
        (lives.is_stopped_while_waiting, [("WAITING", 0), ("STOPPING", 0), ("STOPPED", 0)]),
        (lives.gets_a_new_priority, [("WAITING", 0), ("RUNNING", 0), ("SUCCEEDED", 0)]),
        (lives.waits_long, [("WAITING", 0), ("RUNNING", 0), ("SUCCEEDED", 0)]),
        (
            lives.is_retried_in_a_burst,
            [("WAITING", 0), ("RUNNING", 0), ("WAITING", 3), ("RUNNING", 3), ("SUCCEEDED", 3)],
        ),
        (
            lives.is_deleted_by_hand,
            [("WAITING", 0), ("RUNNING", 0), ("WAITING", 0), ("RUNNING", 0), ("SUCCEEDED", 0)],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_states_of_a_life(cluster: Simulation, job: Job, life: Life, expected: list[tuple[str, int]]) -> None:
    live(cluster, job, life)
    assert captured() == expected


def test_retries_go_through_waiting_one_by_one(cluster: Simulation, job: Job) -> None:
    live(cluster, job, lives.is_retried)
    *before, end = captured()
    pairs = itertools.pairwise(before)
    assert {(old[0], new[0], new[1] - old[1]) for old, new in pairs} == {  # type: ignore[operator]
        ("WAITING", "RUNNING", 0),
        ("RUNNING", "WAITING", 1),
    }
    assert end[0] in ("SUCCEEDED", "FAILED")
    assert end[1] == row(job)["userRetries"] > 0


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_every_life_ends_in_time_and_keeps_the_table_consistent(db: None, life: Life) -> None:
    for seed in range(5):
        cluster = Simulation(connection, seed=seed)
        job = cluster.submit(Request("bob", f"job-{seed}"))
        assert live(cluster, job, life) <= LONGEST_SECONDS
        columns, status = row(job), json.loads(row(job)["snapshot"])["status"]
        assert columns["state"] in FINAL_STATES
        assert status["state"] == columns["subState"] == "Completed"
        assert status["attemptStatus"]["completionStatus"]["code"] == columns["appExitCode"]
        assert status["retryPolicyStatus"]["totalRetriedCount"] == columns["retries"]
        assert columns["completionTime"].microsecond == 0


def test_failures_are_explained(cluster: Simulation, job: Job) -> None:
    """Each failure that the simulation can draw is one that the diagnosis has words for."""
    for ending in [*failures.OWN, *failures.PLATFORM, failures.IMAGE_MISSING, failures.NEVER_CREATED]:
        cluster.update_status(job, "Completed", ending)
        details = diagnosis(job).details
        assert details["exit_code"] == ending.code
        assert details["phrase"] == ending.phrase
        assert not details["why"].startswith("exit code")
        assert details["diagnostics"]


def test_only_its_own_oldest_finished_rows_are_deleted(cluster: Simulation) -> None:
    jobs = [cluster.submit(Request("alice", f"job-{number}")) for number in range(6)]
    for job in jobs[1:]:
        cluster.update_status(job, "Completed", SUCCESS)
    sql("UPDATE frameworks SET namespace = 'default' WHERE name = %s RETURNING 1", jobs[1].name)
    Rows(connection).prune(keep=2)
    left = {name for (name,) in sql("SELECT name FROM frameworks")}
    assert left == {jobs[number].name for number in (0, 1, 4, 5)}  # unfinished, not its own, the two newest


def test_what_an_earlier_run_left_behind_comes_to_an_end(cluster: Simulation) -> None:
    waiting, running_, retried, stopping, broken = (
        cluster.submit(Request("alice", name, wishes=WISHES))
        for name in ("waiting", "running", "retried", "stopping", "broken")
    )
    cluster.update_status(running_, "AttemptRunning")
    cluster.retry(retried)
    cluster.request_stop(stopping)
    cluster.stopping(stopping)
    sql("UPDATE frameworks SET snapshot = '{' WHERE name = %s RETURNING 1", broken.name)

    successor = Simulation(connection, seed=1)
    now = datetime.now(UTC)
    assert successor.adopt(now) == 4
    while (due := successor.tick(now)) is not None:
        now = due
    states = {
        job.request.job_name: row(job)["state"] for job in (waiting, running_, retried, stopping, broken)
    }
    assert states == {
        "waiting": "SUCCEEDED",
        "running": "SUCCEEDED",
        "retried": "SUCCEEDED",
        "stopping": "STOPPED",
        "broken": "WAITING",
    }
    assert row(running_)["launchTime"] == running_.ran_at
    assert row(retried)["retries"] == 1
    assert row(waiting)["notificationAtRunning"] is True
