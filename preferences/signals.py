"""What others can listen to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.dispatch import Signal

from preferences.kinds import Event

wishes_changed = Signal()
"""Sent inside the transaction that changes who wants which event, or after how many minutes.

`user_ids`: list of the owners whose jobs are concerned; None: everybody's. `job`: (framework name, submission
time) when it is about one job only (then `user_ids` is empty), else None. `switched_on`: values of the events
of that job that were not wanted before and are now.
"""


def announce_owners(user_ids: Iterable[int]) -> None:
    """The profiles of these users have changed."""
    _send(user_ids=list(user_ids))


def announce_site() -> None:
    """The site's defaults have changed."""
    _send(user_ids=None)


def announce_job(framework_name: str, submission_time: datetime, switched_on: Iterable[Event] = ()) -> None:
    """What was set for this job has changed."""
    _send(
        user_ids=[],
        job=(framework_name, submission_time),
        switched_on=[event.value for event in switched_on],
    )


def announce_mutes() -> None:
    """Jobs have been muted, or are no longer: what is wanted of them stays, but it is told in silence."""
    _send(user_ids=[])


def _send(
    *,
    user_ids: list[int] | None,
    job: tuple[str, datetime] | None = None,
    switched_on: list[str] | None = None,
) -> None:
    wishes_changed.send(sender=None, user_ids=user_ids, job=job, switched_on=switched_on or [])
