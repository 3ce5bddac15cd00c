"""What a user's window or quiet hours have held back goes out as one.

Of those of a user that are due, the oldest becomes a delivery like any other; the others share its fate. Until then
they are no worker's business, and from then on they are only written to when it is settled.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from django.db import connection, transaction

from notifications import counting, mail_timing
from notifications.delivery.queue import Claim
from notifications.delivery.wanted import EVENT_OFF, GROUP_MUTED, MUTED
from notifications.groups.models import PREFIX
from notifications.models import Delivery, DeliveryState
from notifications.sources.frameworks import names
from notifications.sources.ingest.names import ALERT_PREFIX
from preferences.kinds import Channel

logger = logging.getLogger(__name__)

CHANNELS = mail_timing.CHANNELS | {Channel.APPRISE}
"""A webhook is read by a program: it gets each event, later if need be."""

MOST_MESSAGES = 3
"""Chat messages for one target that are due at once; more become one."""

MOST_AT_ONCE = 10_000
"""Deliveries; a user who has more due gets another mail."""

_IS_DUE = """
SELECT EXISTS (
    SELECT FROM notifications_delivery
     WHERE channel = %(channel)s AND state = 'bundled' AND bundle_id IS NULL AND due_at <= statement_timestamp()
) AND NOT (%(heed_pause)s AND EXISTS (
    SELECT FROM preferences_channelpolicy WHERE channel = %(channel)s AND paused))
"""

# Two workers at once would share out the deliveries of one user.
_LOCK = "SELECT pg_try_advisory_xact_lock(%s, %s)"
# What an admin is cancelling is not waited for: it is locked in another order.
_FORM = """
WITH due AS MATERIALIZED (
    SELECT delivery.id, user_id, target_id
      FROM notifications_delivery AS delivery JOIN notifications_notification AS told ON told.id = notification_id
     WHERE channel = %(channel)s AND state = 'bundled' AND bundle_id IS NULL AND due_at <= statement_timestamp()
     ORDER BY due_at, delivery.id LIMIT %(most)s FOR UPDATE OF delivery SKIP LOCKED
), bundle AS (
    SELECT id, min(id) OVER of_user AS first, count(*) OVER of_user AS size
      FROM due WINDOW of_user AS (PARTITION BY user_id, target_id)
)
UPDATE notifications_delivery AS delivery
   SET state = CASE WHEN delivery.id = first THEN 'pending' ELSE 'bundled' END,
       bundle_id = NULLIF(first, delivery.id),
       bundle_size = CASE WHEN delivery.id = first THEN size ELSE 1 END
  FROM bundle WHERE delivery.id = bundle.id
"""

_GATHER = """
UPDATE notifications_delivery SET state = 'bundled' WHERE id IN (
    SELECT id FROM (SELECT id, count(*) OVER (PARTITION BY target_id) AS messages FROM (
        SELECT id, target_id FROM notifications_delivery
         WHERE channel = %(channel)s AND state = 'pending' AND attempts = 0 AND bundle_size = 1
           AND due_at <= statement_timestamp()
         ORDER BY due_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED) AS due) AS counted
     WHERE messages > %(messages)s)
"""

# An alert names the job that it is about in its details: `links.job_of`.
_DROP_MUTED = f"""
UPDATE notifications_delivery AS delivery SET state = 'dropped', last_error = %(reason)s
  FROM notifications_notification AS told CROSS JOIN LATERAL (
      SELECT told.framework_name LIKE '{ALERT_PREFIX}%%' AND told.details ?& ARRAY['framework', 'submitted'] AS known
  ) AS alert CROSS JOIN LATERAL (
      SELECT CASE WHEN known THEN told.details ->> 'framework' ELSE told.framework_name END AS name,
             CASE WHEN known THEN (told.details ->> 'submitted')::timestamptz ELSE told.submission_time END AS submitted
  ) AS about JOIN preferences_jobconfig AS job
       ON job.framework_name = about.name AND job.submission_time = about.submitted AND job.muted
       AND COALESCE(job.muted_until > statement_timestamp(), true)
 WHERE delivery.bundle_id = %(first)s AND delivery.state = 'bundled' AND told.id = delivery.notification_id
"""  # noqa: S608 - constants only

_DROP_MUTED_GROUPS = f"""
UPDATE notifications_delivery AS delivery SET state = 'dropped', last_error = %(reason)s
  FROM notifications_notification AS told JOIN notifications_jobgroup AS sweep
       ON sweep.id = told.group_id AND sweep.muted AND COALESCE(sweep.muted_until > statement_timestamp(), true)
 WHERE delivery.bundle_id = %(first)s AND delivery.state = 'bundled' AND told.id = delivery.notification_id
   AND told.framework_name NOT LIKE '{PREFIX}%%'
"""  # noqa: S608 - constants only

_DROP_EVENTS_OFF = """
UPDATE notifications_delivery AS delivery SET state = 'dropped', last_error = %(reason)s
  FROM notifications_notification AS told JOIN preferences_channelpreference AS choice USING (user_id)
 WHERE delivery.bundle_id = %(first)s AND delivery.state = 'bundled' AND told.id = delivery.notification_id
   AND choice.channel = delivery.channel AND NOT told.event = ANY(choice.events)
"""

_UNWANTED = ((_DROP_MUTED, MUTED), (_DROP_MUTED_GROUPS, GROUP_MUTED), (_DROP_EVENTS_OFF, EVENT_OFF))


def form(channel: Channel, *, heed_pause: bool = True) -> None:
    """Put together what is due, one bundle a user, or a target; nothing while the channel pauses, so that all is one.

    Chat has no windows: what has come up at once is put together here.
    """
    values: dict[str, str | int] = {"channel": channel.value, "most": MOST_AT_ONCE, "heed_pause": heed_pause}
    with connection.cursor() as cursor:
        if channel is Channel.APPRISE:
            cursor.execute(_GATHER, values | {"messages": MOST_MESSAGES})
        cursor.execute(_IS_DUE, values)
        if not cursor.fetchone()[0]:
            return
        with transaction.atomic():
            cursor.execute(_LOCK, [names.LOCK_SPACE, names.BUNDLE_LOCK])
            if cursor.fetchone()[0]:
                cursor.execute(_FORM, values)
                logger.info("bundled channel=%s count=%d", channel.value, cursor.rowcount)


@transaction.atomic
def drop_unwanted(taken: Claim) -> None:
    """Those in its bundle whose job or group has been muted, or whose event was switched off, since they were decided
    on."""
    dropped = 0
    with connection.cursor() as cursor:
        for statement, reason in _UNWANTED:
            cursor.execute(statement, {"first": taken.id, "reason": reason})
            dropped += cursor.rowcount
    if dropped:
        counting.count_delivery(taken.id, DeliveryState.DROPPED.value, by=dropped)


def without_others(taken: Claim) -> Claim:
    """The delivery alone; those bundled with it get another bundle."""
    if taken.bundle_size > 1:
        Delivery.objects.filter(bundle_id=taken.id, state=DeliveryState.BUNDLED).update(bundle=None)
    return replace(taken, bundle_size=1)
