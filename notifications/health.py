"""Is everything that has to work at work?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from notifications.sources.frameworks import capture
from notifications.wording import duration
from preferences.kinds import Channel
from preferences.models import ChannelPolicy

logger = logging.getLogger(__name__)

HEARTBEAT_LIMIT_SECONDS = 30
LATE_SECONDS = 15 * 60
MOST_LOOKED_AT = 10_000
"""Open deliveries of each channel; and the same number of the newest ones of all."""
REFUSED_USERS = 3
"""A mailbox that puts its mails off for a day is its owner's matter; several, while no mail goes out, are ours."""

CHANNELS = [channel.value for channel in Channel]

OPEN_DELIVERIES = """
SELECT open.* FROM unnest(%(channels)s) AS c CROSS JOIN LATERAL (
    SELECT notification_id, created_at, planned_at, refusals FROM notifications_delivery
     WHERE channel = c AND state IN ('pending', 'leased', 'retry') ORDER BY due_at, id LIMIT %(most)s
) AS open
UNION ALL (
    SELECT notification_id, created_at, planned_at, refusals FROM notifications_delivery
     WHERE state = 'bundled' AND bundle_id IS NULL ORDER BY due_at, id LIMIT 1
)
"""

# The oldest unsent delivery, not counting the pauses that the receiving side has asked for. Both looks are bounded by
# an index: the open ones by their own, the newest ones by their ids.
DELIVERIES = f"""
WITH open AS MATERIALIZED (
    {OPEN_DELIVERIES}
), refused AS MATERIALIZED (
    SELECT count(DISTINCT n.user_id) AS users, min(o.created_at) AS since
      FROM open o JOIN notifications_notification n ON n.id = o.notification_id
     WHERE o.refusals > 0 AND o.created_at < statement_timestamp() - make_interval(secs => %(late_seconds)s)
)
SELECT (SELECT extract(epoch FROM statement_timestamp() - min(planned_at)) FROM open),
       users, users >= %(refused_users)s AND NOT EXISTS (
           SELECT FROM (SELECT sent_at FROM notifications_delivery ORDER BY id DESC LIMIT %(most)s) newest
            WHERE sent_at > since)
  FROM refused
"""  # noqa: S608 - constants only


def failing(parts: Collection[str] = ()) -> dict[str, str]:
    """Of these parts (of all, without any) those that fail, each with why; {} when all is well.

    After a dead database nothing else is asked.
    """
    found: dict[str, str] = {}
    for name, check in CHECKS.items():
        if parts and name not in parts:
            continue
        try:
            why = check()
        except DatabaseError as error:
            logger.warning("health check failed check=%s error=%r", name, str(error).strip())
            why = "The database does not answer."
        if why:
            found[name] = why
            if name in ("database", "migrations"):
                break
    return found


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return "Migrations are missing. Run `notifcenter migrate`."
    return ""


def _capture() -> str:
    return " ".join(capture.missing())


def _poller() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM notifications_pollerstate "
            "WHERE heartbeat_at > now() - make_interval(secs => %s))",
            [HEARTBEAT_LIMIT_SECONDS],
        )
        alive = cursor.fetchone()[0]
    return "" if alive else "No poller is at work. Run `notifcenter poll_frameworks`."


def _channels() -> str:
    """A channel that an admin has paused is no failure."""
    broken = ChannelPolicy.objects.filter(paused=True, try_at__isnull=False).order_by("channel").first()
    if broken is None:
        return ""
    name = broken.get_channel_display()
    return (
        f"{name} has paused by itself. Mend what *Deliveries* in the admin shows, and press *Resume* there."
    )


def _deliveries() -> str:
    paused = ChannelPolicy.objects.filter(paused=True).values_list("channel", flat=True)
    values: dict[str, Any] = {
        "channels": sorted(set(CHANNELS) - set(paused)),
        "most": MOST_LOOKED_AT,
        "late_seconds": LATE_SECONDS,
        "refused_users": REFUSED_USERS,
    }
    with connection.cursor() as cursor:
        cursor.execute(DELIVERIES, values)
        seconds, users, none_sent = cursor.fetchone()
    if seconds is not None and seconds > LATE_SECONDS:
        return (
            f"The oldest unsent delivery has been due for {duration(int(seconds))}. Run "
            "`celery -A notifcenter worker`; if it runs, the admin shows the delivery's last error."
        )
    if none_sent:
        return f"The mails of {users} users are put off, and none was sent meanwhile. The admin shows why."
    return ""


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "capture": _capture,
    "poller": _poller,
    "channels": _channels,
    "deliveries": _deliveries,
}
