"""One job of the cluster's table and its timeline. Who may not see a job is told that there is none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import OuterRef, Subquery
from django.db.utils import ProgrammingError
from psycopg2.errors import UndefinedColumn, UndefinedTable

from notifications import wording
from notifications.delivery.wanted import in_words
from notifications.explanation import Explanation, explain
from notifications.life import Moment, Span, spans_of
from notifications.models import Delivery, DeliveryState, Notification, WishMirror
from notifications.sources.frameworks.models import Framework
from preferences import selectors
from preferences.job_protocol import as_job_file, read_block
from preferences.kinds import NOTIFICATION_COLUMNS, Channel
from preferences.wishes import JobKey

MAX_NAME_CHARACTERS = 64
TIMELINE_LENGTH = 200

_COLUMNS = (
    "name",
    "job_name",
    "user_name",
    "job_config",
    "virtual_cluster",
    "total_gpu_number",
    "total_task_number",
    "submission_time",
    "launch_time",
    "completion_time",
    "retries",
    "app_exit_code",
    "state",
    *(f"notification_at_{event.value}" for event in NOTIFICATION_COLUMNS),
)
"""Never the snapshot, which is large, nor a column with secrets."""


_MIRRORED_OVER = WishMirror.objects.filter(
    framework_name=OuterRef("name"), submission_time=OuterRef("submission_time")
).values("before")
"""One statement with the row itself: together they say what the cluster asks for."""


class NoSuchJobError(Exception):
    """There is no such job, or it is somebody else's."""


class JobsUnavailableError(Exception):
    """The cluster's table cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job's row. `config`: what its notifications depend on; `warnings`: what is wrong in its file."""

    row: Framework
    config: selectors.Job
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a job's timeline. `by` says through which channels, and how far that got."""

    event: str
    title: str
    summary: str
    occurred_at: datetime
    by: tuple[str, ...]
    why: Explanation
    details: Mapping[str, Any]


def find_job(*, viewer: User, framework_name: str) -> JobDetails:
    """The viewer's own job (a superuser's: anybody's). Raises NoSuchJobError, JobsUnavailableError."""
    if len(framework_name) > MAX_NAME_CHARACTERS or "\0" in framework_name:
        raise NoSuchJobError
    with reading_the_table():
        rows = Framework.objects.only(*_COLUMNS).annotate(mirrored_over=Subquery(_MIRRORED_OVER))
        row = rows.filter(name=framework_name).first()
    if row is None or not may_see(viewer, row.user_name):
        raise NoSuchJobError
    block = read_block(row.job_config)
    before = row.mirrored_over or {}
    columns = [e for e in NOTIFICATION_COLUMNS if before.get(e, getattr(row, f"notification_at_{e.value}"))]
    config = selectors.Job(row.name, row.submission_time, row.user_name or "", as_job_file(block, columns))
    return JobDetails(row, config, block.warnings)


def submissions(*, viewer: User, framework_names: Collection[str]) -> list[JobKey]:
    """As they are there now, those of these jobs that the viewer may see. Raises JobsUnavailableError."""
    with reading_the_table():
        rows = Framework.objects.filter(name__in=framework_names)
        if not viewer.is_superuser:
            rows = rows.filter(user_name=viewer.username)
        return list(rows.values_list("name", "submission_time"))


def may_see(viewer: User, owner: str | None) -> bool:
    return viewer.is_superuser or viewer.username == owner


def timeline(*, framework_name: str, submission_time: datetime, told_to: User | None = None) -> list[Told]:
    """What was told about one submission of a job, oldest first: with `told_to` to that user, else to anybody, which is
    for callers who have checked who may see it."""
    rows = Notification.objects.filter(framework_name=framework_name, submission_time=submission_time)
    if told_to is not None:
        rows = rows.filter(user=told_to)
    newest = rows.order_by("-id")[:TIMELINE_LENGTH]
    return [_told(one) for one in reversed(newest.prefetch_related("deliveries"))]


def last_told(*, viewer: User, framework_name: str) -> Notification | None:
    """For a job that the cluster's table does not have: what the viewer heard of its last submission."""
    if len(framework_name) > MAX_NAME_CHARACTERS or "\0" in framework_name:
        return None
    told = Notification.objects.filter(framework_name=framework_name, user=viewer)
    return told.order_by("-submission_time", "-id").first()


def life(job: JobDetails, told: Sequence[Told], *, now: datetime) -> list[Span]:
    """The job's waiting and running, from its row and what was told of it."""
    row = job.row
    return spans_of(
        submitted=row.submission_time,
        launched=row.launch_time,
        completed=row.completion_time,
        state=row.state or "",
        told=[Moment(one.event, one.occurred_at, one.details) for one in told],
        now=now,
    )


@contextmanager
def reading_the_table() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        if isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
            raise JobsUnavailableError(
                "The cluster's table `frameworks` is missing or incomplete in this database. "
                "The administrator finds out what is missing by `notifcenter capture check`."
            ) from None
        raise


def _told(one: Notification) -> Told:
    words = (one.event, one.job_name, one.ordinal, one.details)
    return Told(
        event=one.event,
        title=wording.title(*words),
        summary=wording.summary(one.event, one.details),
        occurred_at=one.occurred_at,
        by=_channels(one, list(one.deliveries.all())),
        why=explain(one.event, one.details),
        details=one.details,
    )


def _channels(one: Notification, deliveries: Sequence[Delivery]) -> tuple[str, ...]:
    portal = (str(Channel.WEBPORTAL.label),) if one.in_inbox else ()
    return portal + tuple(map(_way, deliveries))


def _way(delivery: Delivery) -> str:
    """ "E-mail: Sent", "E-mail: Dropped (The job has been muted)" """
    line = f"{delivery.get_channel_display()}: {delivery.get_state_display()}"
    why = in_words(delivery.last_error) if delivery.state == DeliveryState.DROPPED else ""
    return f"{line} ({why})" if why else line
