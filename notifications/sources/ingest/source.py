"""What came in over HTTP as a source of events: alerts, and the jobs of other schedulers."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connection

from notifications.events import JobEvent
from notifications.groups.following import memberships_of
from notifications.sources.base import Batch, Candidate, Resolution, Source, UndigestibleError
from notifications.sources.ingest import line
from notifications.sources.ingest.line import Taken
from notifications.sources.ingest.models import Kind
from notifications.sources.ingest.names import ALERT_PREFIX, NO_SUBMISSION_TIME
from notifications.sources.usernames import valid_username
from preferences.kinds import Event

logger = logging.getLogger(__name__)

MAX_ADMINS = 500

_JOBS = """
SELECT name, "submissionTime", "userName", "virtualCluster" FROM frameworks WHERE name = ANY(%s)
"""


class Job(NamedTuple):
    """The job of the cluster's table that an alert is about."""

    framework_name: str
    submission_time: datetime
    virtual_cluster: str


@dataclass(slots=True)
class IngestBatch(Batch):
    undigestible: list[tuple[Taken, str]] = field(default_factory=list)


class IngestSource(Source):
    def __init__(self) -> None:
        self._first_taken = 0

    def is_worth_a_look(self) -> bool:
        return self.has_work()

    def take(self, limit: int) -> IngestBatch | None:
        self._first_taken = 0
        taken = line.take(limit)
        self._first_taken = taken[0].id if taken else 0
        if not taken:
            return None
        batch = IngestBatch(is_full=len(taken) == limit)
        alerts = [one for one in taken if one.kind == Kind.ALERT]
        jobs = _jobs_of(alerts)
        batch.groups = memberships_of([job[:2] for job in jobs.values()])
        admins = _admins() if any(not one.user_name for one in alerts) else []
        for one in taken:
            try:
                _digest(one, batch, jobs.get(one.id), admins)
            except UndigestibleError as error:
                batch.undigestible.append((one, str(error)))
        return batch

    def finish(self, batch: Batch, told: Collection[str]) -> None:
        assert isinstance(batch, IngestBatch)
        for one, error in batch.undigestible:
            logger.warning("received event put aside id=%d kind=%s error=%r", one.id, one.kind, error)
        line.put_aside(batch.undigestible)

    def put_aside(self, error: str) -> bool:
        logger.warning("received event put aside error=%r", error.partition("\n")[0])
        if self._first_taken:
            line.put_aside_waiting(self._first_taken, error)
        return bool(self._first_taken)

    def has_work(self) -> bool:
        return line.waiting()


def _digest(one: Taken, batch: IngestBatch, job: Job | None, admins: Sequence[tuple[int, str]]) -> None:
    """Raises UndigestibleError."""
    if one.kind == Kind.RESOLVED:
        batch.resolutions.append(_resolution(one.payload))
    elif one.kind == Kind.JOB_EVENT:
        batch.add(_job_event(one))
    elif one.user_name:
        batch.add(_alert(one.payload, valid_username(one.user_name), 0, job))
    elif not admins:
        raise UndigestibleError("It names no user, and no active user is staff.")
    else:
        for user_id, username in admins:  # the number keeps their keys apart
            batch.add(_alert(one.payload, username, user_id, None))


def _alert(payload: Mapping[str, Any], username: str, ordinal: int, job: Job | None) -> Candidate:
    starts_at = datetime.fromisoformat(payload["starts_at"])
    details = dict(payload["details"])
    if job:
        details |= {"framework": job.framework_name, "submitted": job.submission_time.isoformat()}
    name = ALERT_PREFIX + payload["fingerprint"]
    return Candidate(
        event=JobEvent(name, starts_at, Event.ALERT, ordinal, starts_at, details),
        username=username,
        job_name=payload["job_name"],
        virtual_cluster=payload["virtual_cluster"] or (job.virtual_cluster if job else ""),
        about=(job.framework_name, job.submission_time) if job else None,
    )


def _resolution(payload: Mapping[str, Any]) -> Resolution:
    starts_at = datetime.fromisoformat(payload["starts_at"])
    lasted = datetime.fromisoformat(payload["resolved_at"]) - starts_at
    details = {"resolved_at": payload["resolved_at"], "lasted_seconds": int(lasted.total_seconds())}
    return Resolution(ALERT_PREFIX + payload["fingerprint"], starts_at, details)


def _job_event(one: Taken) -> Candidate:
    payload = one.payload
    event = JobEvent(
        payload["framework"],
        NO_SUBMISSION_TIME,
        Event(payload["event"]),
        payload["ordinal"],
        datetime.fromisoformat(payload["occurred_at"]),
        payload["details"],
    )
    return Candidate(event, valid_username(one.user_name), payload["job"])


def _jobs_of(alerts: Sequence[Taken]) -> dict[int, Job]:
    """By the id of the alert, the job that it names, if that is in the cluster's table under its usual name."""
    names = {one.id: _framework_names(one) for one in alerts if one.payload["job_name"]}
    wanted = list({name for some in names.values() for name in some})
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_JOBS, [wanted])
        rows = {
            name: (Job(name, submitted, cluster or ""), user) for name, submitted, user, cluster in cursor
        }
    found = {}
    for one in alerts:
        starts_at = datetime.fromisoformat(one.payload["starts_at"])
        for name in names.get(one.id, ()):
            job, owner = rows.get(name, (None, None))
            if job and owner == one.user_name and job.submission_time <= starts_at:
                found[one.id] = job
    return found


def _framework_names(one: Taken) -> tuple[str, str]:
    """A framework is named by the MD5 of `user~job`, or by the job's own name."""
    job_name = one.payload["job_name"]
    return hashlib.md5(f"{one.user_name}~{job_name}".encode(), usedforsecurity=False).hexdigest(), job_name


def _admins() -> list[tuple[int, str]]:
    active = get_user_model().objects.filter(is_staff=True, is_active=True)
    return list(active.order_by("pk").values_list("pk", "username")[:MAX_ADMINS])
