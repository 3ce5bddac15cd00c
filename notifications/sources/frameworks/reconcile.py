"""One scan of `frameworks` that queues what was missed while the capture was away or nobody watched.

It writes into the same queue as the trigger, so that everything else goes the same way; what was told already
is told by its key. Run when the poller starts and after a reinstall, never in between.
"""

from __future__ import annotations

import logging

from django.db import connection, transaction

from notifications.sources.frameworks import names, wish_columns
from notifications.sources.frameworks.changes import STATE_TIME
from notifications.sources.frameworks.wish_columns import OWN_WISHES

logger = logging.getLogger(__name__)

MARGIN_MINUTES = 5
"""Looked back further when the capture is known to have been away: the cluster's clocks and ours need not agree."""

ALLOW_SCAN = "SET LOCAL enable_seqscan = on; SET LOCAL random_page_cost = 4"
"""For the present transaction of a session that forbids it."""

# A change in the queue that leads to the row's present state. An older one, captured before a gap, does not.
_QUEUED = """
    SELECT FROM notifications_capturedchange c WHERE c.framework_name = f.name
    AND c.submission_time = f."submissionTime" AND c.new_state IS NOT DISTINCT FROM f.state
    AND c.new_retries IS NOT DISTINCT FROM f.retries
"""

# It was queued before, and could not be digested; trying again is up to the admin.
_PUT_ASIDE = """
    SELECT FROM notifications_failedchange a WHERE a.framework_name = f.name
    AND a.submission_time = f."submissionTime" AND a.new_state IS NOT DISTINCT FROM f.state
    AND a.new_retries IS NOT DISTINCT FROM f.retries
"""

# What the cluster's own columns ask for and have not got. "running" of a job that has ended is told along with
# its end (if it ran at all), not for its own sake: a job that never ran would be found at every start.
_ASKED = f"""
INSERT INTO notifications_capturedchange (framework_name, submission_time, user_name, old_state, new_state,
    old_retries, new_retries, changed_at, only_events, counted)
SELECT f.name, f."submissionTime", f."userName", NULL, f.state, COALESCE(f."notifiedAtRetried", 0), f.retries,
    COALESCE({STATE_TIME}, f."updatedAt"), asked.events, true
FROM frameworks f {OWN_WISHES} CROSS JOIN LATERAL (SELECT ARRAY_REMOVE(ARRAY[
    CASE WHEN f.state = 'SUCCEEDED' AND own.succeeded
          AND f."notifiedAtSucceeded" IS NOT TRUE THEN 'succeeded' END,
    CASE WHEN f.state = 'FAILED' AND own.failed
          AND f."notifiedAtFailed" IS NOT TRUE THEN 'failed' END,
    CASE WHEN f.state = 'STOPPED' AND own.stopped
          AND f."notifiedAtStopped" IS NOT TRUE THEN 'stopped' END,
    CASE WHEN own.retried
          AND f.retries > COALESCE(f."notifiedAtRetried", 0) THEN 'retried' END,
    CASE WHEN f.state = 'RUNNING' AND own.running
          AND f."notifiedAtRunning" IS NOT TRUE THEN 'running' END
], NULL) || CASE WHEN own.running AND f."notifiedAtRunning" IS NOT TRUE
    AND (f.state = 'SUCCEEDED' AND own.succeeded AND f."notifiedAtSucceeded" IS NOT TRUE
      OR f.state = 'FAILED' AND own.failed AND f."notifiedAtFailed" IS NOT TRUE
      OR f.state = 'STOPPED' AND own.stopped AND f."notifiedAtStopped" IS NOT TRUE)
    THEN ARRAY['running'] ELSE ARRAY[]::text[] END AS events) AS asked
WHERE cardinality(asked.events) > 0
AND NOT EXISTS (SELECT FROM notifications_pollerstate p WHERE f.state IN ('SUCCEEDED', 'FAILED', 'STOPPED')
    AND COALESCE({STATE_TIME}, f."submissionTime") < p.told_from)
AND NOT EXISTS ({_PUT_ASIDE})
AND NOT EXISTS ({_QUEUED} AND (c.only_events IS NULL OR c.only_events @> asked.events::varchar[]))
ORDER BY f."updatedAt"
"""  # noqa: S608 - constants only

# What changed since the capture was last seen in place: the present state and the present number of retries.
# The state of a row that was only written again is older than that, which its own times tell.
_MISSED = f"""
INSERT INTO notifications_capturedchange (framework_name, submission_time, user_name, old_state, new_state,
    old_retries, new_retries, changed_at, counted)
SELECT f.name, f."submissionTime", f."userName", NULL, f.state, 0, f.retries,
    COALESCE({STATE_TIME}, f."updatedAt"), true
FROM frameworks f, notifications_pollerstate p CROSS JOIN LATERAL (SELECT GREATEST(p.installed_at,
    LEAST(p.reconcile_from - interval '{MARGIN_MINUTES} minutes', p.capture_seen_at)) AS since) AS away
WHERE f."updatedAt" >= away.since AND (f.state <> 'WAITING' OR f.retries > 0) AND CASE
    WHEN f."submissionTime" < p.installed_at THEN {STATE_TIME} >= away.since
    ELSE f.retries > 0 AND f.state NOT IN ('SUCCEEDED', 'FAILED', 'STOPPED')
        OR {STATE_TIME} IS NULL OR {STATE_TIME} < f."submissionTime" OR {STATE_TIME} >= away.since END
AND NOT EXISTS ({_PUT_ASIDE}) AND NOT EXISTS ({_QUEUED} AND c.only_events IS NULL)
ORDER BY f."updatedAt"
"""  # noqa: S608 - constants only

# Waits that nobody saw begin; those that a change in the queue tells of begin with it. Of jobs older than the
# first install only what happens after it counts. CASE, because the planner would match the names of all jobs first.
_WAITS = """
INSERT INTO notifications_waitingjob AS w (framework_name, submission_time, user_name, ordinal, since, due_at)
SELECT f.name, f."submissionTime", f."userName", COALESCE(f.retries, 0),
    CASE WHEN f."submissionTime" < p.installed_at THEN now()
         WHEN COALESCE(f.retries, 0) = 0 THEN f."submissionTime" ELSE f."updatedAt" END, now()
FROM frameworks f, notifications_pollerstate p
WHERE f.state = 'WAITING' AND CASE WHEN f.state = 'WAITING' THEN f."userName" ~ '^[A-Za-z0-9_.-]{1,150}$' END
AND NOT EXISTS (
    SELECT FROM notifications_capturedchange c WHERE c.framework_name = f.name AND c.new_state = 'WAITING'
    AND c.new_retries IS NOT DISTINCT FROM f.retries AND (c.old_state IS NOT NULL OR c.old_retries IS NULL))
ON CONFLICT (framework_name) DO UPDATE
    SET ordinal = EXCLUDED.ordinal, since = EXCLUDED.since, due_at = EXCLUDED.due_at
    WHERE w.ordinal < EXCLUDED.ordinal
"""

_STALE_WAITS = """
DELETE FROM notifications_waitingjob w WHERE NOT EXISTS (
    SELECT FROM frameworks f WHERE f.name = w.framework_name AND f."submissionTime" = w.submission_time
    AND f.state = 'WAITING')
"""

_PRESENCE = """
INSERT INTO notifications_pollerstate AS p (id, leader, installed_at, capture_seen_at)
VALUES (1, '', CASE WHEN %(present)s THEN now() END, CASE WHEN %(present)s THEN now() END)
ON CONFLICT (id) DO UPDATE SET
    installed_at = COALESCE(p.installed_at, EXCLUDED.installed_at),
    reconcile_from = CASE WHEN %(present)s THEN p.reconcile_from
        ELSE COALESCE(p.reconcile_from, p.capture_seen_at) END,
    capture_seen_at = COALESCE(EXCLUDED.capture_seen_at, p.capture_seen_at)
RETURNING reconcile_from IS NOT NULL AND %(present)s
"""


def note_presence(present: bool) -> bool:
    """Remember whether the capture is in place; returns whether it came back and a scan is due."""
    with connection.cursor() as cursor:
        cursor.execute(_PRESENCE, {"present": present})
        return bool(cursor.fetchone()[0])


def note_absence() -> None:
    """The capture has missed something a moment ago."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_pollerstate SET reconcile_from = LEAST(reconcile_from, now())")


def reconcile() -> int:
    """Queue what was missed; returns the number of changes queued. Repeatable."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Who changes a wish locks waits too, in another order.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [names.LOCK_SPACE, names.WISHES_LOCK])
        cursor.execute(ALLOW_SCAN)
        cursor.execute(_STALE_WAITS)
        cursor.execute(_WAITS)
        wish_columns.forget_gone()
        queued = 0
        for statement in (_MISSED, _ASKED):  # what was missed holds all events, so it comes first
            cursor.execute(statement)
            queued += cursor.rowcount
        cursor.execute("UPDATE notifications_pollerstate SET reconcile_from = NULL")
    logger.info("reconciled queued=%s", queued)
    return queued
