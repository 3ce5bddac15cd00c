"""A worker whose waits are shorter, so that a day of retries fits into a test. Everything else is the product's."""

from __future__ import annotations

import sys

import django

WAITS_SHORTENED_BY = 60
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 0.5, 2.0
TRY_SECONDS = 1.0
"""After a channel has paused by itself."""


def main() -> None:
    django.setup()
    from celery.__main__ import main as celery

    from notifications.delivery import backoff, pausing

    backoff.PAUSES_SECONDS = tuple(pause / WAITS_SHORTENED_BY for pause in backoff.PAUSES_SECONDS)
    backoff.FIRST_REST_SECONDS, backoff.LONGEST_REST_SECONDS = FIRST_REST_SECONDS, LONGEST_REST_SECONDS
    pausing.TRY_SECONDS = TRY_SECONDS
    sys.argv = ["celery", "-A", "notifcenter", "worker", "--loglevel", "INFO"]
    celery()


if __name__ == "__main__":
    main()
