"""The rows that a batch stores, column by column: what the statement in `recording` takes apart again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from notifications import mail_timing
from notifications.events import EventKey
from notifications.groups.following import Membership
from notifications.mail_timing import Plans
from notifications.sources.base import Candidate
from preferences.kinds import TARGET_CHANNELS, Channel, Event
from preferences.rules import Decision
from preferences.timing import Plan
from preferences.wishes import Owner

COLUMNS = {
    "user_id": "int[]",
    "event": "text[]",
    "ordinal": "int[]",
    "framework_name": "text[]",
    "submission_time": "timestamptz[]",
    "job_name": "text[]",
    "virtual_cluster": "text[]",
    "group_id": "bigint[]",
    "occurred_at": "timestamptz[]",
    "in_inbox": "boolean[]",
    "muted": "boolean[]",
    "ways": "int[]",
    "plan": "int[]",
}
"""Of the notifications; their details come beside them as one JSON array."""

WAYS = {"ways": "int[]", "channel": "text[]", "target": "bigint[]"}
"""Where the deliveries go. Many notifications go the same ways, so these stand once and have a number."""

PLANS = {
    "plan": "int[]",
    "channel": "text[]",
    "first_at": "timestamptz[]",
    "rest_at": "timestamptz[]",
    "window_until": "timestamptz[]",
    "window_filled": "boolean[]",
}
"""When the mails and pushes of a user go out. Which row is a user's first new one only the statement finds out, so both
times come along."""

_Ways = tuple[int, frozenset[Channel], str | None]
_TimedKind = tuple[int, bool]
"""Whose mail or push, and whether of a failure: in quiet hours these may go other ways."""


class Rows:
    """Those of one batch, each key once, in the order in which they were added."""

    def __init__(self) -> None:
        self._keys: set[EventKey] = set()
        self._rows: list[tuple[object, ...]] = []
        self._details: list[Mapping[str, Any]] = []
        self._ways: dict[_Ways, int] = {}
        self._way_rows: list[tuple[int, str, int | None]] = []
        self._has_times: set[int] = set()
        self._plans: dict[_TimedKind, int] = {}
        self._timed: dict[int, Owner] = {}

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(
        self, candidate: Candidate, owner: Owner, decision: Decision, group: Membership | None = None
    ) -> None:
        event = candidate.event
        if event.key in self._keys:
            return
        self._keys.add(event.key)
        broken = event.details.get("not_through")
        ways = self._number_of_ways(owner, decision.channels, broken)
        plan = None
        if ways in self._has_times:
            self._timed[owner.user_id] = owner
            plan = self._plans.setdefault((owner.user_id, event.event is Event.FAILED), len(self._plans))
        self._rows.append(
            (
                owner.user_id,
                event.event.value,
                event.ordinal,
                event.framework_name,
                event.submission_time,
                candidate.job_name,
                candidate.virtual_cluster,
                group.group_id if group else None,
                event.occurred_at,
                decision.muted or Channel.WEBPORTAL in decision.channels or broken is not None,
                decision.muted,
                ways,
                plan,
            )
        )
        self._details.append(event.details)

    @property
    def timed_users(self) -> Collection[Owner]:
        return self._timed.values()

    def parameters(self, plans: Mapping[tuple[int, Channel], Plans]) -> list[object]:
        """As COLUMNS, details, WAYS and PLANS name them. `plans` has those of all `timed_users`."""
        times = (
            (number, channel.value, *_times(plans[user_id, channel].of(is_failure)))
            for (user_id, is_failure), number in self._plans.items()
            for channel in mail_timing.CHANNELS
        )
        return [
            *_columns(self._rows, len(COLUMNS)),
            json.dumps(self._details),
            *_columns(self._way_rows, len(WAYS)),
            *_columns(times, len(PLANS)),
        ]

    def _number_of_ways(self, owner: Owner, channels: frozenset[Channel], broken: str | None) -> int:
        key = owner.user_id, channels, broken
        if key not in self._ways:
            number = self._ways[key] = len(self._ways)
            for channel, target in _ways(channels, owner.wishes.targets):
                if channel != broken:
                    self._way_rows.append((number, channel.value, target))
            if (channels - {broken}) & mail_timing.CHANNELS:
                self._has_times.add(number)
        return self._ways[key]


def _columns(table: Iterable[tuple[object, ...]], width: int) -> list[tuple[object, ...]]:
    return list(zip(*table, strict=True)) or [()] * width


def _times(one: Plan) -> tuple[datetime | None, datetime | None, datetime | None, bool]:
    until, filled = (one.window.until, one.window.filled) if one.window else (None, False)
    return one.at, one.rest, until, filled


def _ways(
    channels: Iterable[Channel], targets: Mapping[Channel, tuple[int, ...]]
) -> Iterator[tuple[Channel, int | None]]:
    """Where the deliveries go: channel, and the id of the target where the channel has some."""
    for channel in sorted(channels):
        if channel in TARGET_CHANNELS:
            yield from ((channel, target) for target in targets.get(channel, ()))
        elif channel is not Channel.WEBPORTAL:
            yield channel, None
