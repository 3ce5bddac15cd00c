"""Snapshots of attempts as the cluster stores them, and what the diagnosis makes of them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from notifications.sources.frameworks.diagnosis import (
    RowFacts,
)

FRAMEWORK: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "framework.json").read_text(encoding="utf-8")
)
SUBMITTED = datetime(2020, 1, 20, 9, 8, 30, tzinfo=UTC)
RAN = datetime(2020, 1, 20, 9, 8, 40, tzinfo=UTC)
ENDED = datetime(2020, 1, 20, 9, 8, 52, tzinfo=UTC)


def facts(**changes: Any) -> RowFacts:
    columns: dict[str, Any] = {
        "exit_code": 254,
        "retries": 0,
        "gpus": 1,
        "submission_time": SUBMITTED,
        "launch_time": ENDED,
        "completion_time": ENDED,
    }
    return RowFacts(**{**columns, **changes})


def snapshot(*, run_time: str | None = None, **completion: Any) -> str:
    """The real one, with changes to its completionStatus and a run time where newer controllers have it."""
    framework = copy.deepcopy(FRAMEWORK)
    framework["status"]["runTime"] = run_time
    framework["status"]["attemptStatus"]["completionStatus"].update(completion)
    return json.dumps(framework)


def task_of(framework: dict[str, Any]) -> dict[str, Any]:
    task: dict[str, Any] = framework["status"]["attemptStatus"]["taskRoleStatuses"][0]["taskStatuses"][0]
    return task


def with_output(said: Any) -> str:
    framework = copy.deepcopy(FRAMEWORK)
    containers = task_of(framework)["attemptStatus"]["completionStatus"]["pod"]["containers"]
    containers[0]["message"] = said
    return json.dumps(framework)
