"""notifiedAt*: a mirror, for others to read, of what was told. It decides nothing."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection, transaction

from preferences.prepared import Message, Prepared

RETRY_LIMIT = 500

# A row that the cluster holds locked is not waited for: it is remembered, and marked a little later.
_MARK = Prepared(
    "notifcenter_mark",
    ["text[]", "text[]", "text[]"],
    """
WITH free AS MATERIALIZED (
    SELECT f.name, f."submissionTime" AS submitted FROM frameworks f WHERE f.name = ANY(%s)
    FOR NO KEY UPDATE SKIP LOCKED
), told AS MATERIALIZED (
    SELECT n.framework_name, n.submission_time,
           bool_or(n.event = 'running') AS running, bool_or(n.event = 'succeeded') AS succeeded,
           bool_or(n.event = 'failed') AS failed, bool_or(n.event = 'stopped') AS stopped,
           max(n.ordinal) FILTER (WHERE n.event = 'retried') AS retried
    FROM notifications_notification n WHERE n.framework_name = ANY(%s)
    GROUP BY n.framework_name, n.submission_time
), marked AS (
    UPDATE frameworks f SET
        "notifiedAtRunning" = COALESCE(f."notifiedAtRunning", false) OR told.running,
        "notifiedAtSucceeded" = COALESCE(f."notifiedAtSucceeded", false) OR told.succeeded,
        "notifiedAtFailed" = COALESCE(f."notifiedAtFailed", false) OR told.failed,
        "notifiedAtStopped" = COALESCE(f."notifiedAtStopped", false) OR told.stopped,
        "notifiedAtRetried" = GREATEST(f."notifiedAtRetried", told.retried, 0)
    FROM free JOIN told ON told.framework_name = free.name AND told.submission_time = free.submitted
    WHERE f.name = free.name AND (
        COALESCE(f."notifiedAtRunning", false) < told.running
        OR COALESCE(f."notifiedAtSucceeded", false) < told.succeeded
        OR COALESCE(f."notifiedAtFailed", false) < told.failed
        OR COALESCE(f."notifiedAtStopped", false) < told.stopped
        OR COALESCE(f."notifiedAtRetried", 0) < COALESCE(told.retried, 0))
), others AS MATERIALIZED (
    SELECT unnest(%s) AS name EXCEPT SELECT name FROM free
)
INSERT INTO notifications_pendingmark (framework_name)
SELECT f.name FROM others JOIN frameworks f USING (name) ON CONFLICT (framework_name) DO NOTHING
""",
)


def mirror(frameworks: Collection[str], message: Message) -> None:
    """With the message, set notifiedAt* of these to all that was ever told of the job that now has the name."""
    if frameworks:
        # The commit would wait for whoever holds an owner's record, and the cluster for the commit.
        message.add("SET CONSTRAINTS ALL IMMEDIATE")
        message.add(_MARK, [frameworks, frameworks, frameworks])


@transaction.atomic
def mirror_pending() -> None:
    """Try the rows that were locked once more; what cannot be marked now stays remembered."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM notifications_pendingmark WHERE framework_name IN "
            "(SELECT framework_name FROM notifications_pendingmark LIMIT %s) "
            "RETURNING framework_name",
            [RETRY_LIMIT],
        )
        message = Message()
        mirror([name for (name,) in cursor.fetchall()], message)
        message.send()
