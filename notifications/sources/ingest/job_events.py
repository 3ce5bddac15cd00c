"""What another scheduler tells of one of its jobs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from notifications.sources.ingest.line import New
from notifications.sources.ingest.models import Kind
from notifications.sources.ingest.names import framework_of
from preferences.kinds import Event

MAX_WHY_CHARACTERS = 60
"""A message of at most this length goes into the title of a failure."""


def received(
    *,
    job: str,
    username: str,
    event: Event,
    ordinal: int,
    occurred_at: datetime,
    message: str = "",
    url: str = "",
) -> New:
    """`job`, `event` and `ordinal` tell whether it came in before. The texts are clean and bounded already."""
    framework = framework_of(job)
    payload = {
        "framework": framework,
        "job": job,
        "event": event.value,
        "ordinal": ordinal,
        "occurred_at": occurred_at.isoformat(),
        "details": _details(event, ordinal, message, url),
    }
    return New(f"event:{framework}:{event.value}:{ordinal}", Kind.JOB_EVENT, username, payload)


def _details(event: Event, ordinal: int, message: str, url: str) -> Mapping[str, Any]:
    fits_title = event is Event.FAILED and len(message) <= MAX_WHY_CHARACTERS
    known = {
        "why" if fits_title else "reason": message,
        "retries": ordinal if event is Event.RETRIED else 0,
        "url": url,
    }
    return {name: value for name, value in known.items() if value}
