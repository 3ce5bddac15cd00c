"""The statements that OpenPAI's database controller writes into `frameworks`, one a method."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from notifications.sources.frameworks.demo.jobs import FINAL_STATES, WISH_COLUMNS, Job
from notifications.sources.frameworks.demo.snapshots import NAMESPACE, snapshot
from notifications.stopping import Stop

logger = logging.getLogger(__name__)

RECONNECT_SECONDS = 1.0
DUMMY_DEFINITION = '{"kind": "Secret", "type": "Opaque", "data": {"note": "a dummy of the demo"}}'


class StoppedError(Exception):
    """The stop was requested while the database was away."""


class Rows:
    """Writes rows. With a `stop`, a database that is away is waited for; without one, its error is raised."""

    def __init__(self, connection: BaseDatabaseWrapper, stop: Stop | None = None) -> None:
        self._connection = connection
        self._stop = stop

    def insert(self, job: Job, now: datetime) -> None:
        row = {
            "name": job.name,
            **_request_columns(job),
            **_status_columns(job),
            "submissionTime": job.submitted_at,
            "dockerSecretDef": DUMMY_DEFINITION,
            "configSecretDef": DUMMY_DEFINITION,
            "tokenSecretDef": DUMMY_DEFINITION,
            "requestSynced": False,
            "apiServerDeleted": False,
            "archived": False,
            "insertedAt": now,
            "createdAt": now,
            "updatedAt": now,
        }
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(["%s"] * len(row))
        self._execute(f"INSERT INTO frameworks ({names}) VALUES ({values})", [*row.values()])  # noqa: S608

    def update_status(self, job: Job, now: datetime) -> None:
        """All the status columns, changed or not."""
        self._update(job, {**_status_columns(job), "updatedAt": now})

    def update_request(self, job: Job, now: datetime) -> None:
        """A stop, or a new priority. Resets every notifiedAt*, as the cluster does."""
        self._update(job, {**_request_columns(job), "requestSynced": False, "updatedAt": now})

    def delete(self, name: str) -> None:
        self._execute("DELETE FROM frameworks WHERE name = %s", [name])

    def prune(self, keep: int) -> None:
        """Deletes the simulation's own finished rows, the oldest first, down to `keep`."""
        self._execute(
            "DELETE FROM frameworks WHERE name IN (SELECT name FROM frameworks WHERE namespace = %s"
            ' AND state IN %s ORDER BY "submissionTime" DESC OFFSET %s)',
            [NAMESPACE, FINAL_STATES, keep],
        )

    def unfinished(self) -> list[tuple[Any, ...]]:
        """What an earlier run of the simulation left behind: see `adoption`."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                'SELECT name, "submissionTime", "jobConfig", snapshot FROM frameworks'
                " WHERE namespace = %s AND state NOT IN %s",
                [NAMESPACE, FINAL_STATES],
            )
            return list(cursor.fetchall())

    def _update(self, job: Job, columns: dict[str, Any]) -> None:
        assignments = ", ".join(f'"{name}" = %s' for name in columns)
        self._execute(
            f"UPDATE frameworks SET {assignments} WHERE name = %s",  # noqa: S608
            [*columns.values(), job.name],
        )

    def _execute(self, statement: str, parameters: list[Any]) -> None:
        was_away = False
        while True:
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute(statement, parameters)
                return
            except IntegrityError:
                if not was_away:
                    raise
                return  # the connection broke after the row had been committed
            except (OperationalError, InterfaceError) as error:
                if self._stop is None:
                    raise
                if not was_away:
                    logger.warning("database away, trying again error=%r", str(error).strip())
                was_away = True
                self._connection.close()
                if self._stop.wait(RECONNECT_SECONDS):
                    raise StoppedError from None


def _request_columns(job: Job) -> dict[str, Any]:
    request = job.request
    columns: dict[str, Any] = {
        "namespace": NAMESPACE,
        "jobName": f"{request.user}~{request.job_name}",
        "userName": request.user,
        "jobConfig": request.config,
        "executionType": job.execution_type,
        "virtualCluster": request.virtual_cluster,
        "jobPriority": job.priority,
        "totalGpuNumber": request.gpus,
        "totalTaskNumber": request.tasks,
        "totalTaskRoleNumber": len(request.roles),
        "logPathInfix": request.job_name,
        "snapshot": snapshot(job),
    }
    for key, event in WISH_COLUMNS.items():
        columns[f"notificationAt{event}"] = request.wishes.get(key, False)
        columns[f"notifiedAt{event}"] = 0 if event == "Retried" else False
    return columns


def _status_columns(job: Job) -> dict[str, Any]:
    return {
        "retries": job.retries,
        "retryDelayTime": None,
        "platformRetries": 0,
        "resourceRetries": 0,
        "userRetries": job.retries,
        "creationTime": job.created_at,
        "launchTime": job.launch_time,
        "completionTime": job.completed_at,
        "appExitCode": None if job.exit is None else job.exit.code,
        "subState": job.sub_state,
        "state": job.state,
        "snapshot": snapshot(job),
    }
