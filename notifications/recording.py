"""Store what is told: the only writer of notifications, inside the poller's transaction.

Plain SQL instead of the ORM: `INSERT … ON CONFLICT DO NOTHING RETURNING` is the one way to learn which rows are
new, and only those may get deliveries. One statement does both for a whole batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from django.db import connection

from notifications import counting
from notifications.events import EventKey
from notifications.sources.base import Batch, Candidate, Resolution
from preferences.kinds import TARGET_CHANNELS, Channel
from preferences.prepared import Prepared
from preferences.rules import NO_OVERRIDE, Decision, decide
from preferences.wishes import Owner, Wishes

LIVE_CHANNEL = "notifcenter_live"
"""NOTIFY to the web processes. Payload: '' for new notifications, or the id of a user whose counts changed."""

_RECORD = Prepared(
    "notifcenter_record",
    ["json", "text"],
    """
WITH told AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%s) AS t(o int, u int, e text, n int, f text, s timestamptz, j text, v text,
        d jsonb, t timestamptz, w boolean, m boolean, c text[], g bigint[])
), new AS (
    INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
        virtual_cluster, details, occurred_at, in_inbox, read_at)
    SELECT u, e, n, f, s, j, v, d, t, w, CASE WHEN m THEN now() END FROM told ORDER BY o
    ON CONFLICT (framework_name, submission_time, event, ordinal) DO NOTHING
    RETURNING id, framework_name, submission_time, event, ordinal
), queued AS (
    INSERT INTO notifications_delivery (notification_id, channel, target_id, state, attempts, last_error)
    SELECT new.id, channel, target, 'pending', 0, '' FROM new JOIN told
        ON f = framework_name AND s = submission_time AND e = event AND n = ordinal
    CROSS JOIN unnest(c, g) AS way(channel, target) ORDER BY new.id
    RETURNING 1
)
SELECT event, count(*), (SELECT count(*) FROM queued), pg_notify(%s, '')
FROM new GROUP BY event
""",
)


# What is over already stays as it was. Those who see it are told that something has changed.
_RESOLVE = """
WITH resolved AS (
    UPDATE notifications_notification n SET details = n.details || r.d
    FROM json_to_recordset(%s) AS r(f text, s timestamptz, d jsonb)
    WHERE n.framework_name = r.f AND n.submission_time = r.s AND NOT n.details ? 'resolved_at'
    RETURNING n.user_id
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
            rows.setdefault(candidate.event.key, _row(len(rows), candidate, owner, decision))
            frameworks.add(candidate.event.framework_name)
    if not rows:
        return Recorded()
    with connection.cursor() as cursor:
        _RECORD.execute(cursor, [json.dumps(list(rows.values())), LIVE_CHANNEL])
        stored = cursor.fetchall()
    notifications = {event: count for event, count, _, _ in stored}
    return Recorded(notifications, stored[0][2] if stored else 0, frozenset(frameworks))


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
