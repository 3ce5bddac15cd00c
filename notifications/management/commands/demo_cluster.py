from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connection

from notifications.sources.frameworks.demo import player
from notifications.sources.frameworks.demo.rows import StoppedError
from notifications.sources.frameworks.demo.simulation import DEFAULT_USERS
from notifications.stopping import Stop

MAX_JOBS_PER_MINUTE = 60_000


def positive(text: str) -> float:
    number = float(text)
    if not 0 < number <= MAX_JOBS_PER_MINUTE:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most {MAX_JOBS_PER_MINUTE}")
    return number


def count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


class Command(BaseCommand):
    help = "Plays a cluster: writes jobs into `frameworks` the way OpenPAI does. For demos and tests only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--jobs", type=count, help="stop after so many jobs have ended (default: go on)")
        parser.add_argument("--rate", type=positive, default=100.0, help="jobs a minute (default: 100)")
        parser.add_argument("--seed", type=int, help="the same seed plays the same jobs")
        parser.add_argument(
            "--users", default=",".join(DEFAULT_USERS), help="comma-separated owners of the jobs"
        )
        parser.add_argument(
            "--once", action="store_true", help="play --jobs (default: 100) without waiting, then exit"
        )

    def handle(
        self, *, jobs: int | None, rate: float, seed: int | None, users: str, once: bool, **options: Any
    ) -> None:
        owners = [user.strip() for user in users.split(",") if user.strip()]
        if not owners:
            raise CommandError("--users names nobody")
        with Stop().on_signals() as stop:
            try:
                if once:
                    played = player.play_at_once(
                        connection, seed=seed, users=owners, jobs=jobs or 100, rate=rate, stop=stop
                    )
                else:
                    played = player.play(connection, seed=seed, users=owners, jobs=jobs, rate=rate, stop=stop)
            except StoppedError:
                return
            except ProgrammingError as error:
                raise CommandError(f"`frameworks` is not as OpenPAI makes it: {error}".strip()) from None
        if options["verbosity"]:
            self.stdout.write(f"{played} jobs submitted")
