from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from notifications import retention
from notifications.stopping import Stop


class Command(BaseCommand):
    help = "Removes notifications and deliveries that are older than RETENTION_DAYS; saved ones stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, metavar="N", help="default: RETENTION_DAYS")

    def handle(self, *, days: int | None, **options: Any) -> None:
        days = settings.RETENTION_DAYS if days is None else days
        if not days:
            raise CommandError("RETENTION_DAYS is 0: everything is kept. Set it, or give --days.")
        if days < settings.LEAST_RETENTION_DAYS:
            raise CommandError(f"--days must be at least {settings.LEAST_RETENTION_DAYS}.")
        with Stop().on_signals() as stop:
            try:
                done = retention.prune(days=days, wait=stop.wait)
            except retention.CannotPruneError as error:
                raise CommandError(str(error)) from None
            except DatabaseError as error:
                raise CommandError(f"The database refused: {str(error).strip()}. Run it again.") from None
        self.stdout.write(str(done))
