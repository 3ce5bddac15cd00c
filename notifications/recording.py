"""Store what is told: the only writer of notifications, inside the poller's transaction.

Plain SQL instead of the ORM: `INSERT … ON CONFLICT DO NOTHING RETURNING` is the one way to learn which rows are
new, and only those may get deliveries. One statement does both for a whole batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import connection

from notifications import counting, rows
from notifications.decisions import NO_GROUPS, Decisions
from notifications.groups.following import Membership
from notifications.listening import LIVE_CHANNEL
from notifications.mail_timing import WISHES_AND_TIMES, plans_for
from notifications.sources.base import Batch, Candidate, Resolution
from notifications.sources.frameworks.names import LOCK_SPACE, WISHES_LOCK
from preferences.prepared import Prepared
from preferences.wishes import JobKey, Wishes, load_wishes, with_records

_LOCK_WISHES = f"SELECT pg_advisory_xact_lock({LOCK_SPACE}, {WISHES_LOCK})"

# Whole columns, because PostgreSQL takes them apart in a third of the time of a JSON object for each row.
_RECORD = Prepared(
    "notifcenter_record",
    [*rows.COLUMNS.values(), "jsonb", *rows.WAYS.values(), *rows.PLANS.values(), "text"],
    """
WITH told AS MATERIALIZED (
    SELECT * FROM ROWS FROM (unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s), jsonb_array_elements(%s))
        WITH ORDINALITY AS t(u, e, n, f, s, j, v, r, t, w, m, x, l, d, o)
     WHERE t >= COALESCE((SELECT told_from FROM notifications_pollerstate), '-infinity')
), new AS (
    INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
        virtual_cluster, group_id, details, occurred_at, in_inbox, read_at)
    SELECT u, e, n, f, s, j, v, r, d, t, w, CASE WHEN m THEN now() END FROM told ORDER BY o
    ON CONFLICT (framework_name, submission_time, event, ordinal) DO NOTHING
    RETURNING id, framework_name, submission_time, event, ordinal
), ways AS (
    SELECT new.id, channel, target, u, k, b, CASE
            WHEN row_number() OVER (PARTITION BY u, channel, target, k IS NULL ORDER BY new.id) = 1
            THEN p ELSE q END AS due
      FROM new JOIN told ON f = framework_name AND s = submission_time AND e = event AND n = ordinal
      JOIN unnest(%s, %s, %s) AS way(x, channel, target) USING (x)
      LEFT JOIN unnest(%s, %s, %s, %s, %s, %s) AS plan(l, channel, p, q, k, b) USING (l, channel)
), queued AS (
    INSERT INTO notifications_delivery (notification_id, channel, target_id, state, attempts, last_error, due_at,
        planned_at)
    SELECT id, channel, target, CASE WHEN due IS NULL THEN 'pending' ELSE 'bundled' END, 0, '',
           COALESCE(due, statement_timestamp()), COALESCE(due, statement_timestamp())
      FROM ways ORDER BY id
    RETURNING 1
), windows AS (
    INSERT INTO notifications_mailwindow (user_id, until, filled)
    SELECT u, max(k), bool_or(b) OR count(*) > 1 FROM ways WHERE channel = 'email' AND k IS NOT NULL GROUP BY u
    ON CONFLICT (user_id) DO UPDATE SET until = EXCLUDED.until, filled = EXCLUDED.filled
), push_windows AS (
    INSERT INTO notifications_pushwindow (user_id, until, filled)
    SELECT u, max(k), bool_or(b) OR count(DISTINCT id) > 1
      FROM ways WHERE channel = 'webpush' AND k IS NOT NULL GROUP BY u
    ON CONFLICT (user_id) DO UPDATE SET until = EXCLUDED.until, filled = EXCLUDED.filled
)
SELECT event, count(*), (SELECT count(*) FROM queued), pg_notify(%s, '')
FROM new GROUP BY event
""",
)


# What is over already stays as it was. Those who see it are told that something has changed. Rows are locked in the
# order of their ids, as by a user who marks them read: else each might wait for the other.
_RESOLVE = """
WITH found AS MATERIALIZED (
    SELECT n.id, r.d FROM json_to_recordset(%s) AS r(f text, s timestamptz, d jsonb)
    JOIN notifications_notification n ON n.framework_name = r.f AND n.submission_time = r.s
    WHERE NOT n.details ? 'resolved_at' ORDER BY n.id FOR NO KEY UPDATE OF n
), resolved AS (
    UPDATE notifications_notification n SET details = n.details || found.d
    FROM found WHERE n.id = found.id RETURNING n.user_id
)
SELECT pg_notify(%s, user_id::text) FROM resolved GROUP BY user_id
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """`notifications`: how many are new, by event. `frameworks`: those with an event that is told now or was told
    before; their marks are to be mirrored.
    """

    notifications: Mapping[str, int] = field(default_factory=dict)
    deliveries: int = 0
    frameworks: frozenset[str] = frozenset()


def wishes_of(batch: Batch) -> Wishes:
    """What its owners want to hear of its jobs, and when their mails go out; none of it changes until the transaction
    ends."""
    wishes = load_wishes(
        usernames=batch.usernames,
        frameworks=batch.frameworks,
        statement=WISHES_AND_TIMES,
        after=_LOCK_WISHES,
    )
    return with_records(wishes, batch.usernames)


def record(
    candidates: Iterable[Candidate], wishes: Wishes, groups: Mapping[JobKey, Membership] = NO_GROUPS
) -> Recorded:
    """Decide for each candidate, and store those that are wanted and new, in their order.

    Must run in a transaction; the web processes hear of it when that commits.
    """
    told, decisions = rows.Rows(), Decisions(wishes, groups)
    frameworks: set[str] = set()
    for candidate in candidates:
        decision = decisions.about(candidate)
        if decision.wanted:
            frameworks.add(candidate.event.framework_name)
            told.add(candidate, wishes.owners[candidate.username], decision, groups.get(candidate.job))
    if not told:
        return Recorded()
    with connection.cursor() as cursor:
        _RECORD.execute(cursor, [*told.parameters(plans_for(told.timed_users)), LIVE_CHANNEL])
        stored = cursor.fetchall()
    notifications = {event: count for event, count, _, _ in stored}
    return Recorded(notifications, stored[0][2] if stored else 0, frozenset(frameworks))


def count(batch: Batch, recorded: Recorded, *, seconds: float) -> None:
    """Have stored, with what ends the batch, what the metrics say of one that has taken so long."""
    tally = batch.tally
    for event, count in recorded.notifications.items():
        tally.add(counting.NOTIFICATIONS, event, by=count)
    if batch.ages:
        tally.observe(counting.CHANGE_TO_COMMIT, (age + seconds for age in batch.ages))
    tally.observe(counting.POLL, [seconds])
    tally.store_with(batch.last)


def resolve(resolutions: Iterable[Resolution]) -> None:
    """Write down what is over, in the poller's transaction. It tells nobody again; open pages show it."""
    over = [
        {"f": one.framework_name, "s": one.submission_time.isoformat(), "d": one.details}
        for one in resolutions
    ]
    if over:
        with connection.cursor() as cursor:
            cursor.execute(_RESOLVE, [json.dumps(over), LIVE_CHANNEL])
