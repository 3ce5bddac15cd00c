"""The user's side of notifications: read them, count them, mark them. Everything is one user's own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from notifications import links, wording
from notifications.explanation import advised
from notifications.models import UNREAD, Notification
from notifications.recording import LIVE_CHANNEL

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
    """All of a user's inbox, archived ones included."""
    return Notification.objects.filter(user_id=user_id, in_inbox=True).select_related("user")


def find(
    *,
    user_id: int,
    unread: bool = False,
    archived: bool = False,
    events: Collection[str] = (),
    job: str = "",
    text: str = "",
    after: int | None = None,
) -> QuerySet[Notification]:
    """The inbox narrowed down; `job` is a framework's or a job's name, `text` a part of a job's name."""
    found = own(user_id).filter(archived_at__isnull=not archived)
    if unread:
        found = found.filter(UNREAD)
    if events:
        found = found.filter(event__in=events)
    if job:
        found = found.filter(Q(framework_name=job) | Q(job_name=job))
    if text:
        found = found.filter(job_name__icontains=text)
    if after is not None:
        found = found.filter(id__gt=after)
    return found


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


def count_unread_sql(users: str) -> str:
    """Rows for `unread_from_row`, of the users in an SQL array of ids.

    Counting stops at one more than is shown: the cost does not grow with what a user leaves unread.
    """
    return f"""
    SELECT u AS user_id, (SELECT count(*) FROM (
            SELECT FROM notifications_notification n WHERE n.user_id = u AND n.in_inbox
            AND n.read_at IS NULL AND n.archived_at IS NULL LIMIT {MAX_UNREAD_SHOWN + 1}) AS few) AS unread,
        COALESCE((SELECT max(id) FROM notifications_notification n WHERE n.user_id = u AND n.in_inbox), 0) AS last_id
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
        return _update(user_id, todo.filter(id__in=ids), read_at=Now())
    todo = todo.filter(UNREAD, id__lte=up_to)
    count = 0
    while changed := _update(user_id, todo[:MARK_CHUNK_ROWS], read_at=Now()):
        count += changed
    return count


def set_flags(
    *, user_id: int, notification_id: int, read: bool | None = None, archived: bool | None = None
) -> Notification | None:
    """Change one notification; None when the user has no such one. What is read stays read since then."""
    changes: dict[str, Any] = {}
    if read is not None:
        changes["read_at"] = Coalesce("read_at", Now()) if read else None
    if archived is not None:
        changes["archived_at"] = Coalesce("archived_at", Now()) if archived else None
    one = own(user_id).filter(id=notification_id)
    if changes:
        _update(user_id, one, **changes)
    return one.first()


def _update(user_id: int, rows: QuerySet[Notification], **changes: Any) -> int:
    """Update, and have every open socket of the user told when that has committed.

    `rows` are locked in their order, which all who lock several have in common: else each might wait for the other.
    """
    with transaction.atomic():
        locked = list(rows.select_for_update(no_key=True).values_list("id", flat=True))
        count = Notification.objects.filter(id__in=locked).update(**changes) if locked else 0
        if count:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, %s)", [LIVE_CHANNEL, str(user_id)])
    return count


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
        "ordinal": notification.ordinal,
        "occurred_at": notification.occurred_at,
        "created_at": notification.created_at,
        "read_at": notification.read_at,
        "archived_at": notification.archived_at,
        "url": links.page_of(notification),
        "details": advised(event, details),
    }
