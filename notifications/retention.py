"""Removes what is older than the site keeps: in small batches, the oldest first, whatever else is going on.

A notification is also the memory of what was told, so what might be told again is not removed: the keys of jobs that
have not ended, or not for as long. And before anything is removed, the poller learns not to tell what happened before a
certain moment (`PollerState.told_from`), so that nothing of what is gone comes back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.utils import timezone

from notifications.sources.frameworks import names

logger = logging.getLogger(__name__)

BATCH_ROWS = 1000
LONGEST_PAUSE_SECONDS = 1.0
"""Between two batches it pauses for as long as the last one took: half of one session's work at the most."""

CLOCK_MARGIN = timedelta(days=1)
"""How far the cluster's clocks may be ahead of the database's."""

# Locks are not waited for, and a lookup by key must not become a scan of a whole table.
_SESSION = (
    "SET LOCAL lock_timeout = '5s'; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; "
    "SET LOCAL enable_mergejoin = off"
)

_TOLD_FROM = """
INSERT INTO notifications_pollerstate AS p (id, leader, told_from) VALUES (1, '', %s)
ON CONFLICT (id) DO UPDATE SET told_from = GREATEST(p.told_from, EXCLUDED.told_from)
"""

_LOOK = "SELECT id, {age} < %(before)s FROM {table} WHERE id > %(after)s ORDER BY id LIMIT %(most)s"

# Not those that their user keeps or has put off, that still wait to go out, or whose job may go on or has ended since:
# a scan looks at its row, for all that ever happened to it.
_REMOVABLE = """
SELECT n.id FROM notifications_notification n
 WHERE n.id = ANY(%(ids)s) AND n.created_at < %(before)s AND n.occurred_at < %(before)s
   AND NOT n.saved AND n.snoozed_until IS NULL
   AND NOT EXISTS (SELECT FROM notifications_delivery d WHERE d.notification_id = n.id
                   AND d.state IN ('pending', 'leased', 'retry', 'bundled'))
   AND NOT EXISTS (SELECT FROM frameworks f WHERE f.name = n.framework_name
                   AND f."submissionTime" IS NOT DISTINCT FROM n.submission_time
                   AND (f.state NOT IN ('SUCCEEDED', 'FAILED', 'STOPPED')
                        OR COALESCE(f."completionTime", f."submissionTime") >= %(before)s))
 ORDER BY n.id FOR UPDATE OF n SKIP LOCKED
"""
_LEAVE_BUNDLES = """
UPDATE notifications_delivery SET bundle_id = NULL WHERE bundle_id = ANY(ARRAY(
    SELECT id FROM notifications_delivery WHERE notification_id = ANY(%(ids)s)))
"""
_DELIVERIES = "DELETE FROM notifications_delivery WHERE notification_id = ANY(%(ids)s)"
_NOTIFICATIONS = "DELETE FROM notifications_notification WHERE id = ANY(%(ids)s)"
_RECEIVED = (
    "DELETE FROM notifications_received WHERE id = ANY(%(ids)s) AND received_at < %(before)s AND NOT waiting"
)
_FAILED = "DELETE FROM notifications_failedchange WHERE id = ANY(%(ids)s) AND failed_at < %(before)s"


@dataclass(slots=True)
class Pruned:
    """How many rows of each kind are gone; `finished` is False when it was stopped, or another was at work."""

    notifications: int = 0
    deliveries: int = 0
    received: int = 0
    changes: int = 0
    finished: bool = True

    def __str__(self) -> str:
        return (
            f"notifications={self.notifications} deliveries={self.deliveries} received={self.received} "
            f"changes={self.changes} finished={'yes' if self.finished else 'no'}"
        )


class CannotPruneError(Exception):
    """The message says why, and what to do."""


def prune(*, days: int, wait: Callable[[float], bool], seconds: float | None = None) -> Pruned:
    """Remove what is older than `days`, for at most `seconds`. `wait` pauses, and returns whether to stop."""
    if not _exists("frameworks"):
        raise CannotPruneError(
            "The table `frameworks` is not there, so nobody can tell which jobs have ended. Nothing was removed."
        )
    before = timezone.now() - timedelta(days=days)
    _tell_only_from(before + CLOCK_MARGIN)
    done = Pruned()
    end_at = None if seconds is None else time.monotonic() + seconds
    work: tuple[tuple[str, str, Callable[[Collection[int], datetime, Pruned], None]], ...] = (
        ("notifications_notification", "created_at", _remove_notifications),
        ("notifications_received", "received_at", _remove_received),
        ("notifications_failedchange", "failed_at", _remove_failed),
    )
    for table, age, remove in work:
        after: int | None = 0
        while after is not None:
            started = time.monotonic()
            after = _step(table, age, after, before, remove, done)
            took = time.monotonic() - started
            if wait(min(took, LONGEST_PAUSE_SECONDS)) or (end_at is not None and time.monotonic() > end_at):
                done.finished = False
            if not done.finished:
                return done
    SessionStore.clear_expired()
    return done


def prune_by_setting(*, wait: Callable[[float], bool], seconds: float) -> None:
    """As the site has it; what hinders it is logged."""
    if not settings.RETENTION_DAYS:
        return
    try:
        done = prune(days=settings.RETENTION_DAYS, wait=wait, seconds=seconds)
    except CannotPruneError as error:
        logger.warning("not pruned error=%r", str(error))
    else:
        logger.info("pruned days=%d %s", settings.RETENTION_DAYS, done)


def _tell_only_from(moment: datetime) -> None:
    """From now on the poller tells nothing that happened before; one that has not heard of it has ended its batch."""
    with connection.cursor() as cursor:
        cursor.execute(_TOLD_FROM, [moment])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [names.LOCK_SPACE, names.WISHES_LOCK])


def _step(
    table: str,
    age: str,
    after: int,
    before: datetime,
    remove: Callable[[Collection[int], datetime, Pruned], None],
    done: Pruned,
) -> int | None:
    """One batch, in one transaction; the last id looked at, or None when nothing older is left."""
    values: dict[str, Any] = {"after": after, "before": before, "most": BATCH_ROWS}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SESSION)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [names.LOCK_SPACE, names.PRUNE_LOCK])
        if not cursor.fetchone()[0]:
            done.finished = False
            return None
        cursor.execute(_LOOK.format(table=table, age=age), values)
        rows = cursor.fetchall()
        old = [key for key, is_old in rows if is_old]
        if old:
            remove(old, before, done)
    return rows[-1][0] if old and len(rows) == BATCH_ROWS else None


def _remove_notifications(ids: Collection[int], before: datetime, done: Pruned) -> None:
    found = [key for (key,) in _rows(_REMOVABLE, ids=list(ids), before=before)]
    if found:
        _count(_LEAVE_BUNDLES, ids=found)
        done.deliveries += _count(_DELIVERIES, ids=found)
        done.notifications += _count(_NOTIFICATIONS, ids=found)


def _remove_received(ids: Collection[int], before: datetime, done: Pruned) -> None:
    done.received += _count(_RECEIVED, ids=list(ids), before=before)


def _remove_failed(ids: Collection[int], before: datetime, done: Pruned) -> None:
    done.changes += _count(_FAILED, ids=list(ids), before=before)


def _rows(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _count(statement: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _exists(table: str) -> bool:
    ((found,),) = _rows("SELECT to_regclass(%(table)s) IS NOT NULL", table=table)
    return bool(found)
