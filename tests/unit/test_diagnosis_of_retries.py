"""Which attempt it was, and why the one before ended."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from notifications.sources.frameworks.diagnosis import (
    diagnose,
    diagnose_retry,
)
from tests.snapshots import FRAMEWORK, SUBMITTED, facts, snapshot


@pytest.mark.parametrize(
    ("most", "total", "counted", "retries", "attempt"),
    [
        (0, 0, 0, 0, (1, 1)),
        (3, 2, 2, 2, (3, 4)),
        (2, 3, 2, 3, (4, 4)),  # one retry was the platform's own fault, and is not counted
        (-1, 2, 2, 2, (3, None)),
        (-2, 2, 2, 2, (3, None)),
        (3, None, None, 1, (2, 4)),
        (1, 5, 5, 5, (6, None)),  # more than the policy allows: it was changed, and is not known
        (None, 1, 1, 1, (2, None)),
        (3, 1, 1, None, (None, 4)),
    ],
)
def test_attempt_n_of_m(
    most: int | None,
    total: int | None,
    counted: int | None,
    retries: int | None,
    attempt: tuple[int | None, int | None],
) -> None:
    framework = copy.deepcopy(FRAMEWORK)
    framework["spec"]["retryPolicy"]["maxRetryCount"] = most
    framework["status"]["retryPolicyStatus"] = {
        "totalRetriedCount": total,
        "accountableRetriedCount": counted,
    }
    details = diagnose(json.dumps(framework), facts(retries=retries)).details
    assert (details.get("attempt"), details.get("max_attempts")) == attempt


def test_the_last_of_several_attempts_has_a_time_of_its_own() -> None:
    framework = copy.deepcopy(FRAMEWORK)
    framework["status"]["runTime"] = "2020-01-20T09:08:40Z"
    framework["status"]["attemptStatus"]["runTime"] = "2020-01-20T09:08:50Z"
    details = diagnose(json.dumps(framework), facts(retries=1)).details
    assert (details["ran_seconds"], details["last_ran_seconds"]) == (12, 2)
    assert "last_ran_seconds" not in diagnose(json.dumps(framework), facts(retries=0)).details


BEFORE = datetime(2020, 1, 20, 8, 48, 40, tzinfo=UTC)
ATTEMPT: dict[str, Any] = {
    **FRAMEWORK["status"]["attemptStatus"],
    "startTime": "2020-01-20T09:00:00Z",
    "runTime": "2020-01-20T09:08:40Z",
    "completionTime": "2020-01-20T09:10:40Z",
}


def test_a_retry_is_diagnosed_by_the_attempt_that_it_ended() -> None:
    ended = json.dumps(
        {**ATTEMPT, "completionStatus": {"code": -1000, "phrase": "PodEvicted", "diagnostics": "low memory"}}
    )
    now = diagnose(snapshot(code=0, phrase="Succeeded"), facts(exit_code=0, retries=1)).details
    details = diagnose_retry(ended, now, number=1, retries=1, submission_time=BEFORE)
    assert details["why"] == "evicted from its node"
    assert details["causer"] == "platform"
    assert details["diagnostics"] == "low memory"
    assert details["solutions"][0] == "Wait: the cluster tries again by itself."
    assert (details["waited_seconds"], details["ran_seconds"], details["attempt"]) == (20 * 60, 120, 1)
    later = diagnose_retry(ended, {}, number=2, retries=2, submission_time=BEFORE)
    assert (later["waited_seconds"], later["attempt"]) == (8 * 60 + 40, 2)


@pytest.mark.parametrize("ended", [None, "", "no json", "null", "{}", '{"completionStatus": null}'])
def test_of_a_retry_only_what_is_known_is_told(ended: str | None) -> None:
    """The snapshot's and the row's own exit code belong to another attempt."""
    now = {"exit_code": 254, "ran_seconds": 5, "max_retries": 3, "max_attempts": 4, "gpus": 1, "attempt": 9}
    details = diagnose_retry(ended, now, number=1, retries=1, submission_time=SUBMITTED)
    assert details == {"attempt": 1, "max_attempts": 4, "retries": 1, "max_retries": 3, "gpus": 1}


def test_after_the_end_nobody_waits_for_a_retry() -> None:
    details = diagnose(snapshot(code=-1000, phrase="PodEvicted"), facts()).details
    assert details["solutions"][0] == "Submit the job again."


def test_an_unlimited_number_of_retries_is_left_out() -> None:
    framework = copy.deepcopy(FRAMEWORK)
    framework["spec"]["retryPolicy"]["maxRetryCount"] = -2
    assert "max_retries" not in diagnose(json.dumps(framework), facts()).details
