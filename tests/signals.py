"""Listening to a signal for the length of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.dispatch import Signal


class Heard(NamedTuple):
    user_ids: list[int] | None
    job: tuple[str, datetime] | None
    switched_on: list[str]


@contextmanager
def listening(signal: Signal) -> Iterator[list[Heard]]:
    heard: list[Heard] = []

    def receiver(
        *, user_ids: list[int] | None, job: tuple[str, datetime] | None, switched_on: list[str], **_: Any
    ) -> None:
        heard.append(Heard(user_ids, job, switched_on))

    signal.connect(receiver)
    try:
        yield heard
    finally:
        signal.disconnect(receiver)
