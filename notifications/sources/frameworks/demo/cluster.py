"""The single changes that a cluster writes: jobs are submitted, wait, run, are retried or stopped, and end."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from django.db.backends.base.base import BaseDatabaseWrapper

from notifications.sources.frameworks.demo.jobs import STOP, Exit, Job, Request
from notifications.sources.frameworks.demo.rows import Rows
from notifications.stopping import Stop


class Cluster:
    """One method a change. Which job has which life is the simulation's business.

    Times written are those at which a simulation plays the change, outside of one the present; Kubernetes' own
    have a resolution of one second.
    """

    def __init__(
        self, connection: BaseDatabaseWrapper, seed: int | None = None, *, stop: Stop | None = None
    ) -> None:
        self.rows = Rows(connection, stop)
        self.random = random.Random(seed)  # noqa: S311 - a simulation
        self.submitted = 0
        self._playing_at: datetime | None = None

    def submit(self, request: Request) -> Job:
        """INSERT: the job waits."""
        job = Job(request, self._now())
        self.rows.insert(job, job.submitted_at)
        self.submitted += 1
        return job

    def update_status(self, job: Job, sub_state: str | None = None, exit: Exit | None = None) -> None:
        """UPDATE with all status columns, as after any event of the controller; perhaps nothing changed."""
        now = self._now()
        if sub_state is not None:
            second = now.replace(microsecond=0)
            job.sub_state, job.changed_at = sub_state, second
            job.exit = exit or job.exit
            if job.created_at is None:
                job.created_at, job.head = second, ""
            job.attempt_started_at = job.attempt_started_at or second
            if job.exit is not None:
                job.attempt_ended_at = job.attempt_ended_at or second
            if sub_state == "AttemptRunning":
                job.attempt_ran_at = second
                job.ran_at = job.ran_at or second
            if sub_state == "Completed":
                job.completed_at = second
        self.rows.update_status(job, now)

    def run_and_end(self, job: Job, exit: Exit) -> None:
        """It ran and ended in one second: the table never shows it running, the snapshot's times do."""
        job.attempt_ran_at = self._now().replace(microsecond=0)
        job.ran_at = job.ran_at or job.attempt_ran_at
        self.update_status(job, "Completed", exit)

    def retry(self, job: Job, times: int = 1) -> None:
        """The next attempt begins to wait."""
        job.retries += times
        job.exit = job.attempt_started_at = job.attempt_ran_at = job.attempt_ended_at = None
        self.update_status(job, "AttemptCreationPending")

    def request_stop(self, job: Job) -> None:
        """The user asks for the stop; the controller acts on it later, see `stopping` and `stopped`."""
        job.execution_type = "Stop"
        self._request(job)

    def request_priority(self, job: Job, priority: str) -> None:
        job.priority = priority
        self._request(job)

    def stopping(self, job: Job) -> None:
        self.update_status(job, "AttemptDeletionRequested", STOP)

    def stopped(self, job: Job) -> None:
        self.update_status(job, "Completed", STOP)

    def _request(self, job: Job) -> None:
        job.generation += 1
        job.head = ""
        self.rows.update_request(job, self._now())

    def _now(self) -> datetime:
        return self._playing_at or datetime.now(UTC)
