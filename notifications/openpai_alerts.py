"""Notifications as the alerts that OpenPAI's own notifier sends through Alertmanager.

Names and values: OpenPAI v1.8, `src/alert-manager/src/job-status-change-notification/controllers/alert.js`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from preferences.kinds import Event

ALERT_NAME = "PAIJobStatusChange"
SEVERITY = "warn"
STATES = {
    Event.RUNNING: "RUNNING",
    Event.SUCCEEDED: "SUCCEEDED",
    Event.FAILED: "FAILED",
    Event.STOPPED: "STOPPED",
    Event.RETRIED: "RETRIED",
    Event.WAITING_TOO_LONG: "WAITING",
}
"""The label `state` of a job's events. The original knows no waiting too long."""


def labels(
    *, event: str, ordinal: int, job_name: str, username: str, details: Mapping[str, Any]
) -> dict[str, str]:
    """The original's labels, and over them those that `details` brings along from where the event came from."""
    found = {"alertname": ALERT_NAME, "severity": SEVERITY}
    if event in STATES:
        retries = ordinal if event == Event.RETRIED else _retries(details)
        found |= {"state": STATES[Event(event)], "retries": str(retries)}
    own = details.get("labels")
    if isinstance(own, Mapping):
        found |= {str(name): str(value) for name, value in own.items()}
    return {**found, "job_name": job_name, "username": username}


def _retries(details: Mapping[str, Any]) -> int:
    known = details.get("retries")
    return known if type(known) is int else 0


def alert(payload: Mapping[str, Any], *, lifetime: timedelta) -> dict[str, Any]:
    """An active alert as Alertmanager lists it, from what `inbox.payload` gives; it ends after `lifetime`."""
    job, starts_at = payload["job"], payload["occurred_at"]
    assert isinstance(starts_at, datetime)
    return {
        "labels": labels(
            event=payload["event"],
            ordinal=payload["ordinal"],
            job_name=job["name"],
            username=job["username"],
            details=payload["details"],
        ),
        "annotations": {"summary": payload["title"]},
        "startsAt": starts_at,
        "endsAt": payload["created_at"] + lifetime,
        "generatorURL": payload["url"],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        "receivers": [],
        "fingerprint": f"{payload['id']:016x}",
    }
