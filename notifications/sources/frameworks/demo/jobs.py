"""A job of the simulated cluster: what was submitted, and where it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

WISH_COLUMNS = {
    "running": "Running",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "stopped": "Stopped",
    "retried": "Retried",
}
"""Key of the job file → end of the names of its columns, notificationAt* and notifiedAt*."""

STOPPED_CODES = (-210, -220)
FINAL_STATES = ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass(frozen=True, slots=True)
class Exit:
    """How an attempt ended, as the controller's completionStatus says it.

    `output` is what the failed container of a task said last; '' when no task is to blame.
    """

    code: int
    phrase: str
    kind: str = "Failed"
    diagnostics: str = ""
    output: str = ""
    container: str = "app"


SUCCESS = Exit(0, "Succeeded", "Succeeded", "Pod succeeded")
STOP = Exit(-210, "StopFrameworkRequested", "Failed", "User has requested to stop the Framework")


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    tasks: int = 1
    gpus: int = 1


@dataclass(frozen=True, slots=True)
class Request:
    """What a user submits. `wishes` are those of the file's notification block, {} without one."""

    user: str
    job_name: str
    roles: tuple[Role, ...] = (Role("worker"),)
    virtual_cluster: str = "default"
    config: str = ""
    wishes: Mapping[str, bool] = field(default_factory=dict)
    image: str = "openpai/standard:python_3.6-pytorch_1.2.0-gpu"
    command: str = "python train.py"
    max_retries: int = 0

    @property
    def framework_name(self) -> str:
        return hashlib.md5(f"{self.user}~{self.job_name}".encode(), usedforsecurity=False).hexdigest()

    @property
    def tasks(self) -> int:
        return sum(role.tasks for role in self.roles)

    @property
    def gpus(self) -> int:
        return sum(role.tasks * role.gpus for role in self.roles)


@dataclass(slots=True)
class Job:
    """A submitted framework. Times have Kubernetes' resolution of one second."""

    request: Request
    submitted_at: datetime
    name: str = ""
    execution_type: str = "Start"
    generation: int = 1
    priority: str = "default"
    sub_state: str = "AttemptCreationPending"
    retries: int = 0
    created_at: datetime | None = None
    ran_at: datetime | None = None
    attempt_started_at: datetime | None = None
    attempt_ran_at: datetime | None = None
    attempt_ended_at: datetime | None = None
    completed_at: datetime | None = None
    changed_at: datetime | None = None
    exit: Exit | None = None
    head: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.name = self.name or self.request.framework_name
        self.changed_at = self.changed_at or self.submitted_at

    @property
    def state(self) -> str:
        """OpenPAI's state for the controller's sub-state."""
        stopped = self.exit is not None and self.exit.code in STOPPED_CODES
        match self.sub_state:
            case "AttemptCreationPending" | "AttemptCreationRequested" | "AttemptPreparing":
                return "WAITING"
            case "Completed" if self.exit is not None and self.exit.code == 0:
                return "SUCCEEDED"
            case "Completed":
                return "STOPPED" if stopped else "FAILED"
            case _:
                return "STOPPING" if stopped else "RUNNING"

    @property
    def launch_time(self) -> datetime | None:
        """The run time or, as the cluster has it, the completion time of a job that never ran."""
        return self.ran_at or self.completed_at
