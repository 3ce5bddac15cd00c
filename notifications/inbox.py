"""The user's side of notifications: count them, mark them as read, show them. Everything is one user's own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from notifications import links, wording
from notifications.explanation import told
from notifications.groups.models import LEAST_JOBS
from notifications.listening import LIVE_CHANNEL
from notifications.models import UNREAD, Notification

MAX_UNREAD_SHOWN = 99
MAX_PAGE = 100
MARK_CHUNK_ROWS = 5000
MAX_RECENT = 100
RECENT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Unread:
    """`unread` is at most MAX_UNREAD_SHOWN; `more` says that there are more than that."""

    unread: int
    more: bool
    last_id: int

    def as_dict(self) -> dict[str, int | bool]:
        return {"unread": self.unread, "more": self.more, "last_id": self.last_id}


def own(user_id: int) -> QuerySet[Notification]:
    """All of a user's inbox, also what is archived or snoozed."""
    return Notification.objects.filter(user_id=user_id, in_inbox=True).select_related("user", "group")


def recent(*, user_id: int | None) -> list[Notification]:
    """A user's newest unread ones, newest first; with None the newest of all users, read by them or not.

    At most MAX_RECENT, and none older than RECENT or resolved. An index gives the first ones in that order, and
    only they are looked at, so that the cost does not grow with what lies in the inboxes.
    """
    rows = Notification.objects.all() if user_id is None else own(user_id).filter(UNREAD)
    newest = rows.select_related("user").order_by("-id")[:MAX_RECENT]
    since = timezone.now() - RECENT
    return [one for one in newest if one.created_at > since and "resolved_at" not in one.details]


def count_unread(user_id: int) -> Unread:
    return count_unread_of([user_id])[user_id]


_FOLDERS = (
    "n.archived_at IS NULL AND n.snoozed_until IS NULL",
    "n.archived_at IS NOT NULL",
    "n.snoozed_until IS NOT NULL",
)


def count_unread_sql(users: str) -> str:
    """Rows for `unread_from_row`, of the users in an SQL array of ids.

    Counting stops at one more than is shown: the cost does not grow with what a user leaves unread. The newest of all
    is the newest of the folders, each of which has an index.
    """
    newest = ", ".join(
        f"(SELECT max(id) FROM notifications_notification n WHERE n.user_id = u AND n.in_inbox AND {folder})"  # noqa: S608
        for folder in _FOLDERS
    )
    return f"""
    SELECT u AS user_id, (SELECT count(*) FROM (
            SELECT FROM notifications_notification n WHERE n.user_id = u AND n.in_inbox AND n.read_at IS NULL
            AND n.archived_at IS NULL AND n.snoozed_until IS NULL LIMIT {MAX_UNREAD_SHOWN + 1}) AS few) AS unread,
        COALESCE(GREATEST({newest}), 0) AS last_id
    FROM unnest({users}) AS u
    """  # noqa: S608 - constants only


COUNT_UNREAD = count_unread_sql("%s::int[]")


def unread_from_row(row: tuple[int, int, int]) -> tuple[int, Unread]:
    user_id, count, last_id = row
    return user_id, Unread(min(count, MAX_UNREAD_SHOWN), count > MAX_UNREAD_SHOWN, last_id)


def count_unread_of(user_ids: Collection[int]) -> dict[int, Unread]:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_UNREAD, [list(user_ids)])
        return dict(unread_from_row(row) for row in cursor.fetchall())


def mark_read(*, user_id: int, ids: Collection[int] = (), up_to: int | None = None) -> int:
    """Mark these, or all up to and with an id, as read. Foreign and unknown ids are passed over."""
    todo = own(user_id).filter(read_at=None).order_by("id")
    if up_to is None:
        return _mark(user_id, todo.filter(id__in=ids))
    todo = todo.filter(UNREAD, id__lte=up_to)
    count = 0
    while changed := _mark(user_id, todo[:MARK_CHUNK_ROWS]):
        count += changed
    return count


def tell_pages(user_id: int) -> None:
    """Have every open socket of the user told that something has changed, when that has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [LIVE_CHANNEL, str(user_id)])


def _mark(user_id: int, rows: QuerySet[Notification]) -> int:
    """`rows` are locked in their order, which all who lock several have in common: else they might wait in a circle."""
    with transaction.atomic():
        locked = list(rows.select_for_update(no_key=True).values_list("id", flat=True))
        count = Notification.objects.filter(id__in=locked).update(read_at=Now()) if locked else 0
        if count:
            tell_pages(user_id)
    return count


def group_payload(notification: Notification) -> dict[str, Any] | None:
    """The group of its job, as it stands now; None for none, and for one that is forgotten or has one job only."""
    try:
        group = notification.group
    except ObjectDoesNotExist:
        return None
    if group is None or group.jobs < LEAST_JOBS:
        return None
    return {
        "id": group.pk,
        "name": group.stem,
        "counts": group.counts,
        "muted": group.is_muted,
        "muted_until": group.muted_until if group.is_muted else None,
    }


def payload(notification: Notification, username: str) -> dict[str, Any]:
    """A notification as REST and websocket show it. Times are datetimes."""
    event, details = notification.event, notification.details
    return {
        "id": notification.pk,
        "event": event,
        "title": wording.title(event, notification.job_name, notification.ordinal, details),
        "summary": wording.summary(event, details),
        "job": {
            "name": notification.job_name,
            "framework": links.framework_of(notification),
            "username": username,
            "virtual_cluster": notification.virtual_cluster,
        },
        "group": group_payload(notification),
        "ordinal": notification.ordinal,
        "occurred_at": notification.occurred_at,
        "created_at": notification.created_at,
        "read_at": notification.read_at,
        "archived_at": notification.archived_at,
        "saved": notification.saved,
        "snoozed_until": notification.snoozed_until,
        "returned_at": notification.returned_at,
        "muted": notification.muted,
        "muted_until": notification.muted_until,
        "url": links.page_of(notification),
        "details": told(event, details),
    }
