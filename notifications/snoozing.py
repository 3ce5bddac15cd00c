"""What was put off comes back when its time has come. The poller calls it; an index knows what is due."""

from __future__ import annotations

from django.db import connection

from notifications.listening import LIVE_CHANNEL

BATCH_ROWS = 1000
MAX_BATCHES = 10
"""In one go, so that the poller's other work does not wait for long."""

# A row that its user is changing at this moment is left for the next time.
_WAKE = f"""
WITH due AS MATERIALIZED (
    SELECT id FROM notifications_notification WHERE in_inbox AND snoozed_until <= now()
    ORDER BY snoozed_until LIMIT {BATCH_ROWS} FOR NO KEY UPDATE SKIP LOCKED
), woken AS (
    UPDATE notifications_notification n SET snoozed_until = NULL, read_at = NULL, returned_at = now()
    FROM due WHERE n.id = due.id RETURNING n.user_id
)
SELECT count(*), pg_notify(%s, user_id::text) FROM woken GROUP BY user_id
"""  # noqa: S608 - constants only


def wake_due() -> int:
    """Bring back, unread, what is due; open pages hear of it. Returns how many."""
    total = 0
    for _ in range(MAX_BATCHES):
        with connection.cursor() as cursor:
            cursor.execute(_WAKE, [LIVE_CHANNEL])
            count = sum(row[0] for row in cursor.fetchall())
        total += count
        if count < BATCH_ROWS:
            break
    return total
