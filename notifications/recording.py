"""Store what is told: the only writer of notifications, inside the poller's transaction.

Plain SQL instead of the ORM: `INSERT … ON CONFLICT DO NOTHING RETURNING` is the one way to learn which rows are
new, and only those may get deliveries. One statement does both for a whole batch.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from django.db import connection

from notifications import counting
from notifications.events import EventKey
from notifications.mail_timing import plans_for
from notifications.sources.base import Batch, Candidate, Resolution
from preferences.kinds import TARGET_CHANNELS, Channel, Event
from preferences.prepared import Prepared
from preferences.rules import NO_OVERRIDE, Decision, decide
from preferences.timing import Plan
from preferences.wishes import Owner, Wishes

LIVE_CHANNEL = "notifcenter_live"
"""NOTIFY to the web processes. Payload: '' for new notifications, or the id of a user whose counts changed."""

_RECORD = Prepared(
    "notifcenter_record",
    ["json", "text"],
    """
WITH told AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%s) AS t(o int, u int, e text, n int, f text, s timestamptz, j text, v text,
        d jsonb, t timestamptz, w boolean, m boolean, c text[], g bigint[], p timestamptz, q timestamptz,
        k timestamptz, b boolean)
    WHERE t >= COALESCE((SELECT told_from FROM notifications_pollerstate), '-infinity')
), new AS (
    INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
        virtual_cluster, details, occurred_at, in_inbox, read_at)
    SELECT u, e, n, f, s, j, v, d, t, w, CASE WHEN m THEN now() END FROM told ORDER BY o
    ON CONFLICT (framework_name, submission_time, event, ordinal) DO NOTHING
    RETURNING id, framework_name, submission_time, event, ordinal
), ways AS (
    SELECT new.id, channel, target, u, k, b, CASE WHEN channel <> 'email' THEN NULL
            WHEN row_number() OVER (PARTITION BY u, channel, k IS NULL ORDER BY new.id) = 1 THEN p ELSE q END AS due
      FROM new JOIN told ON f = framework_name AND s = submission_time AND e = event AND n = ordinal
     CROSS JOIN unnest(c, g) AS way(channel, target)
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


def record(candidates: Iterable[Candidate], wishes: Wishes) -> Recorded:
    """Decide for each candidate, and store those that are wanted and new, in their order.

    Must run in a transaction; the web processes hear of it when that commits.
    """
    rows: dict[EventKey, dict[str, object]] = {}
    frameworks: set[str] = set()
    mails: list[_Mail] = []
    for candidate in candidates:
        owner = wishes.owners[candidate.username]
        decision = decide(
            candidate.event.event,
            override=wishes.overrides.get(candidate.job, NO_OVERRIDE),
            file=candidate.file,
            owner=owner.wishes,
            site=wishes.site,
            channels=partial(wishes.channels, candidate.username),
        )
        if decision.wanted:
            row = rows.setdefault(candidate.event.key, _row(len(rows), candidate, owner, decision))
            frameworks.add(candidate.event.framework_name)
            if Channel.EMAIL in decision.channels:
                mails.append(_Mail(row, owner.user_id, candidate.event.event is Event.FAILED))
    if not rows:
        return Recorded()
    _plan(mails)
    with connection.cursor() as cursor:
        _RECORD.execute(cursor, [json.dumps(list(rows.values())), LIVE_CHANNEL])
        stored = cursor.fetchall()
    notifications = {event: count for event, count, _, _ in stored}
    return Recorded(notifications, stored[0][2] if stored else 0, frozenset(frameworks))


@dataclass(frozen=True, slots=True)
class _Mail:
    """A row that may get a delivery by e-mail."""

    row: dict[str, object]
    user_id: int
    is_failure: bool


def _plan(mails: Collection[_Mail]) -> None:
    """Which row is a user's first new one only the statement finds out, so each brings both times along."""
    plans = plans_for({mail.user_id for mail in mails})
    times = {user: (_times(both.failures), _times(both.others)) for user, both in plans.items()}
    for mail in mails:
        failures, others = times[mail.user_id]
        mail.row.update(failures if mail.is_failure else others)


def _times(one: Plan) -> dict[str, object]:
    at, rest = (moment and moment.isoformat() for moment in (one.at, one.rest))
    window = one.window
    if window is None:
        return {"p": at, "q": rest}
    return {"p": at, "q": rest, "k": window.until.isoformat(), "b": window.filled}


def count(batch: Batch, recorded: Recorded, *, seconds: float) -> None:
    """Store what the metrics say of a batch that has taken so long. Must run in its transaction."""
    tally = batch.tally
    for event, count in recorded.notifications.items():
        tally.add(counting.NOTIFICATIONS, event, by=count)
    for age in batch.ages:
        tally.observe(counting.CHANGE_TO_COMMIT, age + seconds)
    tally.observe(counting.POLL, seconds)
    tally.store()


def resolve(resolutions: Iterable[Resolution]) -> None:
    """Write down what is over, in the poller's transaction. It tells nobody again; open pages show it."""
    rows = [
        {"f": one.framework_name, "s": one.submission_time.isoformat(), "d": one.details}
        for one in resolutions
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_RESOLVE, [json.dumps(rows), LIVE_CHANNEL])


def _row(order: int, candidate: Candidate, owner: Owner, decision: Decision) -> dict[str, object]:
    event = candidate.event
    channels, broken = decision.channels, event.details.get("not_through")
    ways = [way for way in _ways(channels, owner.wishes.targets) if way[0] != broken]
    return {
        "o": order,
        "u": owner.user_id,
        "e": event.event.value,
        "n": event.ordinal,
        "f": event.framework_name,
        "s": event.submission_time.isoformat(),
        "j": candidate.job_name,
        "v": candidate.virtual_cluster,
        "d": event.details,
        "t": event.occurred_at.isoformat(),
        "w": decision.muted or Channel.WEBPORTAL in channels or broken is not None,
        "m": decision.muted,
        "c": [channel.value for channel, _ in ways],
        "g": [target for _, target in ways],
    }


def _ways(
    channels: Iterable[Channel], targets: Mapping[Channel, tuple[int, ...]]
) -> Iterator[tuple[Channel, int | None]]:
    """Where the deliveries go: channel, and the id of the target where the channel has some."""
    for channel in sorted(channels):
        if channel in TARGET_CHANNELS:
            yield from ((channel, target) for target in targets.get(channel, ()))
        elif channel is not Channel.WEBPORTAL:
            yield channel, None
