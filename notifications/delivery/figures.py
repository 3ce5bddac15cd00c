"""How each channel stands, for the administrator: what waits, what became of the rest, and whether it pauses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from notifications import counting
from notifications.delivery.registry import TRANSPORTS
from notifications.models import DeliveryState
from preferences.kinds import Channel
from preferences.models import ChannelPolicy
from preferences.rules import channels_on

WAITING = [DeliveryState.PENDING, DeliveryState.BUNDLED, DeliveryState.LEASED, DeliveryState.RETRY]

MOST_COUNTED = 10_000
"""Open deliveries of each channel that are counted, the oldest first."""

_TO_BUNDLE = """
SELECT channel, count(*) FROM (
    SELECT channel FROM notifications_delivery
     WHERE state = 'bundled' AND bundle_id IS NULL AND channel = ANY(%s) ORDER BY due_at, id LIMIT %s
) AS few GROUP BY channel
"""
_OPEN = """
SELECT c, state, count(*), min(planned_at) FROM unnest(%s) AS c CROSS JOIN LATERAL (
    SELECT state, planned_at FROM notifications_delivery
     WHERE channel = c AND state IN ('pending', 'leased', 'retry') ORDER BY due_at, id LIMIT %s
) AS open GROUP BY c, state
"""


@dataclass(slots=True)
class ChannelFigures:
    """`waiting`: open deliveries by state; `more`: there are more of them than were counted. `oldest`: since when the
    oldest of them has been due. `settled`: by outcome, since the beginning.
    """

    channel: Channel
    policy: ChannelPolicy
    waiting: dict[str, int] = field(default_factory=lambda: {state.value: 0 for state in WAITING})
    settled: dict[str, int] = field(default_factory=dict)
    oldest: datetime | None = None

    @property
    def more(self) -> bool:
        return sum(self.waiting.values()) >= MOST_COUNTED


def of_channels() -> list[ChannelFigures]:
    policies = ChannelPolicy.objects.in_bulk([channel.value for channel in TRANSPORTS])
    settled = _settled()
    found = {
        channel.value: ChannelFigures(
            channel,
            policies.get(channel.value) or ChannelPolicy(channel=channel, enabled=channel in channels_on({})),
            settled={outcome: settled.get((channel.value, outcome), 0) for outcome in counting.OUTCOMES},
        )
        for channel in TRANSPORTS
    }
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [list(found), MOST_COUNTED])
        for name, state, count, oldest in cursor.fetchall():
            figures = found[name]
            figures.waiting[state] = count
            figures.oldest = min(filter(None, (figures.oldest, oldest)))
        cursor.execute(_TO_BUNDLE, [list(found), MOST_COUNTED])
        for name, count in cursor.fetchall():
            found[name].waiting[DeliveryState.BUNDLED] = count
    return list(found.values())


def _settled() -> Mapping[tuple[str, ...], int]:
    return {
        labels: int(value)
        for (name, labels), value in counting.stored().items()
        if name == counting.DELIVERIES.name
    }
