"""Wishes set here, and the columns that show them."""

from __future__ import annotations

from preferences import services
from preferences.kinds import Event
from tests.cluster import WISH_COLUMNS, columns
from tests.wishes import job

R, S, F, X, T = Event.RUNNING, Event.SUCCEEDED, Event.FAILED, Event.STOPPED, Event.RETRIED


def asked(name: str) -> tuple[bool | None, ...]:
    """The columns for running, succeeded, failed, stopped, retried."""
    return columns(name, *WISH_COLUMNS)


def set_here(name: str, events: dict[Event, bool | None]) -> None:
    services.set_job_override(job=job(name), events=events)


def drop(name: str) -> None:
    services.drop_job_override(job=job(name))
