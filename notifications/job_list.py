"""A user's jobs, newest first; without an index on the owner a page's cost is bounded all the same."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from notifications import mutes
from notifications.jobs import MAX_NAME_CHARACTERS, reading_the_table
from notifications.sources.frameworks.models import plain_job_name

MAX_NAME_BYTES = 4 * MAX_NAME_CHARACTERS
DEFAULT_DAYS = 30
MAX_DAYS = 365
DEFAULT_PAGE = 50
MAX_PAGE = 100
MAX_EXAMINED_JOBS = 20_000
"""So many rows of the table does one page look at. A page can thus be short and still have a next one."""

_OLDER = ("<", "DESC")
_NEWER = (">", "ASC")

_WINDOW = """
    FROM frameworks
    WHERE "submissionTime" >= %(since)s AND "submissionTime" {operator}= %(time)s
      AND ("submissionTime", name) {operator} (%(time)s, %(name)s)
    ORDER BY "submissionTime" {order}, name {order}
"""

_PAGE = """
SELECT * FROM (
    SELECT name, "jobName", "userName", "virtualCluster", state, retries, "submissionTime" AS submitted
    {window}
    LIMIT %(examined)s
) AS examined
WHERE %(owner)s::text IS NULL OR "userName" = %(owner)s
ORDER BY submitted {order}, name {order}
LIMIT %(limit)s
"""

_LAST_EXAMINED = 'SELECT "submissionTime", name {window} LIMIT 1 OFFSET %(examined)s - 1'


_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
"""Where the first page begins: a cluster's clock may be ahead of ours."""


class BadCursorError(Exception):
    """The cursor is not one of ours."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Continue on one side of this job; an empty name stands for a moment in time."""

    older: bool
    time: datetime
    name: str

    def __str__(self) -> str:
        text = json.dumps([self.older, self.time.isoformat(), self.name])
        return base64.urlsafe_b64encode(text.encode()).decode()

    @classmethod
    def parse(cls, text: str) -> Cursor:
        try:
            older, time, name = json.loads(base64.urlsafe_b64decode(text.encode()))
            at = datetime.fromisoformat(time)
            usable = (
                isinstance(older, bool)
                and at.tzinfo is not None
                and isinstance(name, str)
                and len(name.encode()) <= MAX_NAME_BYTES
                and "\0" not in name
            )
            cursor = cls(older, at.astimezone(UTC), name)
        except (ValueError, TypeError, OverflowError, RecursionError):
            usable = False
        if not usable:
            raise BadCursorError
        return cursor


@dataclass(frozen=True, slots=True)
class ListedJob:
    framework: str
    name: str
    username: str | None
    virtual_cluster: str | None
    state: str | None
    retries: int | None
    submission_time: datetime
    muted: bool = False
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    jobs: list[ListedJob]
    next: Cursor | None
    previous: Cursor | None


def list_jobs(
    *,
    viewer: User,
    days: int = DEFAULT_DAYS,
    cursor: Cursor | None = None,
    page_size: int = DEFAULT_PAGE,
) -> JobPage:
    """The viewer's jobs (a superuser's: everybody's) of the last `days`. Raises JobsUnavailableError."""
    at = cursor or Cursor(older=True, time=_END_OF_TIME, name="")
    owner = None if viewer.is_superuser else viewer.username
    rows, further = _read(
        at,
        {
            "since": timezone.now() - timedelta(days=days),
            "time": at.time,
            "name": at.name,
            "owner": owner,
            "limit": page_size + 1,
            "examined": MAX_EXAMINED_JOBS if owner else page_size + 1,
        },
    )
    if len(rows) > page_size:
        rows.pop()
        further = Cursor(at.older, rows[-1].submission_time, rows[-1].framework)
    back = None
    if cursor is not None:
        nearest = Cursor(at.older, rows[0].submission_time, rows[0].framework) if rows else cursor
        back = Cursor(not at.older, nearest.time, nearest.name)
    rows = _with_mutes(rows)
    return JobPage(rows, further, back) if at.older else JobPage(rows[::-1], back, further)


def _with_mutes(rows: list[ListedJob]) -> list[ListedJob]:
    muted = mutes.of_jobs([(one.framework, one.submission_time) for one in rows])
    return [
        replace(one, muted=True, muted_until=muted[key])
        if (key := (one.framework, one.submission_time)) in muted
        else one
        for one in rows
    ]


def _read(at: Cursor, values: dict[str, Any]) -> tuple[list[ListedJob], Cursor | None]:
    """At most `limit` jobs, and where to go on if the search ended before the table did."""
    operator, order = _OLDER if at.older else _NEWER
    window = _WINDOW.format(operator=operator, order=order)
    with reading_the_table(), connection.cursor() as database:
        database.execute(_PAGE.format(window=window, order=order), values)
        rows = [
            ListedJob(framework, plain_job_name(name, username, framework), username, *rest)
            for framework, name, username, *rest in database.fetchall()
        ]
        if len(rows) == values["limit"]:
            return rows, None
        database.execute(_LAST_EXAMINED.format(window=window), values)
        last = database.fetchone()
    return rows, Cursor(at.older, *last) if last else None
