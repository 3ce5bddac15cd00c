from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from notifications.hints import Hinter
from notifications.poller import CannotWorkError, Poller
from notifications.stopping import Stop

MIN_INTERVAL_SECONDS = 0.05
MAX_INTERVAL_SECONDS = 3600


class Command(BaseCommand):
    help = "Watches the cluster's jobs and stores what people are to be told."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="take all that is due, then exit")
        parser.add_argument("--interval", type=float, default=1.0, metavar="SECONDS", help="default 1")

    def handle(self, *, once: bool, interval: float, **options: Any) -> None:
        if not MIN_INTERVAL_SECONDS <= interval <= MAX_INTERVAL_SECONDS:  # also refuses nan
            raise CommandError(
                f"--interval must be between {MIN_INTERVAL_SECONDS} and {MAX_INTERVAL_SECONDS} seconds."
            )
        hinter = Hinter()
        poller = Poller(interval_seconds=interval, hint=hinter.hint)
        try:
            with Stop().on_signals() as stop:
                poller.run(stop, once=once)
        except CannotWorkError as error:
            raise CommandError(str(error)) from None
        except OperationalError as error:  # only with --once: else it is tried again
            raise CommandError(f"The database does not answer: {str(error).strip()}") from None
        finally:
            hinter.stop()
