"""Rows of `frameworks` as the cluster writes them, one column list for all tests."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from notifications.models import CapturedChange, Notification


def framework_name(job: str, user: str = "alice") -> str:
    return hashlib.md5(f"{user}~{job}".encode(), usedforsecurity=False).hexdigest()


def submit(job: str = "resnet50", user: str | None = "alice", **columns: Any) -> str:
    """Insert a WAITING row that asks for nothing; returns its name. `columns` override."""
    name = columns.pop("name", None) or framework_name(job, user or "")
    now = datetime.now(UTC)
    row: dict[str, Any] = {
        "name": name,
        "jobName": f"{user}~{job}",
        "userName": user,
        "virtualCluster": "default",
        "totalGpuNumber": 1,
        "state": "WAITING",
        "retries": 0,
        "submissionTime": now,
        "updatedAt": now,
        **dict.fromkeys(WISH_COLUMNS, False),
        **dict.fromkeys(DONE_COLUMNS, False),
        "notifiedAtRetried": 0,
        **columns,
    }
    names = ", ".join(f'"{column}"' for column in row)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO frameworks ({names}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())
        )
    return name


def submit_named(name: str, owner: str = "alice", *, at: datetime | None = None, **columns: Any) -> datetime:
    """A job whose framework name can be read, for tests of pages and addresses. Returns the time of submission."""
    at = at or timezone.now()
    submit(name, owner, name=name, submissionTime=at, **columns)
    return at


def update(name: str, **columns: Any) -> None:
    """A status or request change."""
    columns = {"updatedAt": datetime.now(UTC), **columns}
    changes = ", ".join(f'"{column}" = %s' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE frameworks SET {changes} WHERE name = %s", [*columns.values(), name])


def columns(name: str, *wanted: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        listed = ", ".join(f'"{column}"' for column in wanted)
        cursor.execute(f"SELECT {listed} FROM frameworks WHERE name = %s", [name])
        row: tuple[Any, ...] = cursor.fetchone()
        return row


def asking(*events: str) -> dict[str, Any]:
    """The columns of a job whose file asks for these events: asking("Running", "Failed")."""
    return {f"notificationAt{event}": True for event in events}


EVENTS = ("Running", "Succeeded", "Failed", "Stopped", "Retried")
WISH_COLUMNS = [f"notificationAt{event}" for event in EVENTS]
DONE_COLUMNS = [f"notifiedAt{event}" for event in EVENTS if event != "Retried"]
RESET: dict[str, Any] = {**dict.fromkeys(DONE_COLUMNS, False), "notifiedAtRetried": 0}
"""What a request change of the cluster does to the marks."""

ALL_EVENTS = asking(*EVENTS)


def snapshot(
    *, ran_at: str | None = None, ended_at: str | None = None, code: int | None = None, phrase: str = ""
) -> str:
    """A Framework object with just what decides."""
    completion = None if code is None else {"code": code, "phrase": phrase, "type": {"name": "Failed"}}
    attempt = {"runTime": ran_at, "completionTime": ended_at, "completionStatus": completion}
    return json.dumps({"status": {"runTime": ran_at, "attemptStatus": attempt}})


def told(name: str | None = None) -> list[tuple[str, int]]:
    """(event, ordinal) of what was told, in the order of ids."""
    rows = Notification.objects.order_by("id")
    if name is not None:
        rows = rows.filter(framework_name=name)
    return list(rows.values_list("event", "ordinal"))


def captured() -> list[tuple[str | None, str | None, int | None, int | None]]:
    """(old state, new state, old retries, new retries) of what the capture has seen, in the order of ids."""
    rows = CapturedChange.objects.order_by("id")
    return list(rows.values_list("old_state", "new_state", "old_retries", "new_retries"))


def ended(state: str = "FAILED", ago: timedelta = timedelta(0), **more: Any) -> dict[str, Any]:
    """The columns of a job that has come to this end."""
    at = datetime.now(UTC) - ago
    return {"state": state, "completionTime": at, "updatedAt": at, **more}


def started(ago: timedelta = timedelta(0), **more: Any) -> dict[str, Any]:
    """The columns of a job that runs."""
    at = datetime.now(UTC) - ago
    return {"state": "RUNNING", "launchTime": at, "updatedAt": at, **more}
