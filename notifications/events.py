"""One thing that happened to one job, and the key that decides whether it was already told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from preferences.kinds import Event


class EventKey(NamedTuple):
    """Two events with the same key are the same event."""

    framework_name: str
    submission_time: datetime
    event: Event
    ordinal: int


@dataclass(frozen=True, slots=True)
class JobEvent:
    """`ordinal` is the retry number for `retried` and `waiting_too_long`, else 0.

    `occurred_at` is when it happened on the cluster; `details` is what `diagnosis` found out.
    """

    framework_name: str
    submission_time: datetime
    event: Event
    ordinal: int
    occurred_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> EventKey:
        return EventKey(self.framework_name, self.submission_time, self.event, self.ordinal)
