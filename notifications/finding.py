"""Pages of an inbox, narrowed down. Whatever is asked for, a page looks at a bounded number of rows.

Each folder has an index of its user's rows in their order. What is asked for beyond that (event, cluster, job, time,
text) is looked for among the next WINDOW_ROWS of the folder, whose index has these columns too: the rows themselves are
not read. A page can thus be short, or empty, and still go on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Value, When

from notifications import inbox, mutes
from notifications.groups.models import LEAST_JOBS
from notifications.models import ARCHIVED, OPEN, RETURNED, SAVED, SNOOZED, UNREAD, Notification

WINDOW_ROWS = 2000
MAX_RETURNED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is wanted of an inbox. Archived and snoozed ones only if asked for, or among the saved.

    `job` is a framework's or a job's name, `text` a part of a job's name. `since` is included, `until` is not; both are
    of the notification, not of the event. `after` is the id beyond which it begins, `up_to` that with which it ends.
    With `collapse`, of each group only the newest of those wanted.
    """

    unread: bool = False
    archived: bool = False
    saved: bool = False
    snoozed: bool = False
    events: tuple[str, ...] = ()
    virtual_cluster: str = ""
    job: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    after: int | None = None
    up_to: int | None = None
    group: int | None = None
    collapse: bool = False

    @property
    def folder(self) -> Q:
        """The condition of an index."""
        if self.archived:
            return ARCHIVED
        if self.snoozed:
            return SNOOZED
        if self.saved:
            return SAVED
        return UNREAD if self.unread else OPEN

    @property
    def rest(self) -> Q:
        """What the folder's index does not know."""
        rest = Q()
        if self.unread and self.folder != UNREAD:
            rest &= Q(read_at=None)
        if self.snoozed and self.archived:
            rest &= Q(snoozed_until__isnull=False)
        if self.saved and self.folder != SAVED:
            rest &= Q(saved=True)
        if self.events:
            rest &= Q(event__in=self.events)
        if self.virtual_cluster:
            rest &= Q(virtual_cluster=self.virtual_cluster)
        if self.job:
            rest &= Q(framework_name=self.job) | Q(job_name=self.job)
        if self.since:
            rest &= Q(created_at__gte=self.since)
        if self.until:
            rest &= Q(created_at__lt=self.until)
        if self.text:
            rest &= Q(job_name__icontains=self.text)
        if self.collapse:
            rest &= Q(group=None) | Q(group__jobs__lt=LEAST_JOBS) | Q(~Exists(self._newer_of_its_group))
        return rest

    @property
    def _newer_of_its_group(self) -> QuerySet[Notification]:
        """An index of the group's rows in their order finds one of them."""
        rows = Notification.objects.filter(
            self.folder, user=OuterRef("user"), group=OuterRef("group"), id__gt=OuterRef("id")
        )
        return rows.filter(replace(self, collapse=False).rest)


@dataclass(frozen=True, slots=True)
class Found:
    """Ids in the order of the search, and the id behind which it goes on; None when it has come to the end."""

    ids: list[int]
    go_on: int | None


def find(
    *, user_id: int, filters: Filters, size: int, start: int | None = None, ascending: bool = False
) -> Found:
    """At most `size` ids: newest first, or `ascending`; `start` is the id behind which to begin."""
    rows = inbox.own(user_id).filter(filters.folder).select_related(None)
    if filters.group is not None:
        rows = rows.filter(group=filters.group)
    if filters.after is not None:
        rows = rows.filter(id__gt=filters.after)
    if filters.up_to is not None:
        rows = rows.filter(id__lte=filters.up_to)
    if start is not None:
        rows = rows.filter(id__gt=start) if ascending else rows.filter(id__lt=start)
    rows = rows.order_by("id" if ascending else "-id")
    if filters.rest:
        return _look(rows, filters, size, ascending=ascending)
    ids = list(rows.values_list("id", flat=True)[: size + 1])
    return Found(ids[:size], ids[size - 1] if len(ids) > size else None)


def returned(*, user_id: int, filters: Filters) -> list[int]:
    """At most MAX_RETURNED ids that have come back and are not read yet, the last first; none of a narrowed view."""
    if filters.rest or filters.folder not in (OPEN, UNREAD) or filters.group is not None:
        return []
    if filters.after is not None or filters.up_to is not None:
        return []
    rows = inbox.own(user_id).filter(RETURNED).order_by("-returned_at", "-id")
    return list(rows.values_list("id", flat=True)[:MAX_RETURNED])


def newer(*, user_id: int, after: int, size: int) -> list[Notification]:
    """At most `size` of all folders, those that follow the id `after`, ascending.

    Each folder is asked by itself: no index leads through the rows of all of them, and the ids are everybody's.
    """
    parts = [
        inbox.own(user_id).filter(folder, id__gt=after).order_by("id").values_list("id", flat=True)[:size]
        for folder in (OPEN, ARCHIVED, SNOOZED)
    ]
    return load(list(parts[0].union(*parts[1:]).order_by("id")[:size]))


def _look(rows: QuerySet[Notification], filters: Filters, size: int, *, ascending: bool) -> Found:
    hit = Case(When(filters.rest, then=Value(True)), default=Value(False), output_field=BooleanField())
    looked = rows.annotate(hit=hit).values_list("id", "created_at", "hit")[:WINDOW_ROWS]
    sql, params = looked.query.sql_with_params()
    # One pass: an aggregate sees the rows in the order of the subquery. Ids ascend with the time of creation, because
    # the poller is the only writer, so that the last row has the least or the greatest of both.
    last = "max" if ascending else "min"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT (array_agg(id) FILTER (WHERE hit))[:%s], {last}(id), {last}(created_at), count(*)
            FROM ({sql}) AS looked (id, created_at, hit)
            """,  # noqa: S608 - Django's own SQL, and constants
            [size + 1, *params],
        )
        found, last_id, last_time, count = cursor.fetchone()
    ids = found or []
    if len(ids) > size:
        return Found(ids[:size], ids[size - 1])
    if count < WINDOW_ROWS:
        return Found(ids, None)
    # Beyond the period nothing is to be found.
    beyond = (
        last_time >= filters.until
        if ascending and filters.until
        else (not ascending and filters.since is not None and last_time < filters.since)
    )
    return Found(ids, None if beyond else last_id)


def load(ids: list[int]) -> list[Notification]:
    """Those rows, in that order."""
    rows = Notification.objects.select_related("user", "group").in_bulk(ids)
    mutes.note(rows.values())
    return [rows[one] for one in ids if one in rows]
