from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.rest_server import RestServerError
from accounts.sync import SyncRefusedError, sync_users


class Command(BaseCommand):
    help = "Brings the cluster's users here: names, addresses, admins, and how they want to be told."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="print what would change; write nothing")
        parser.add_argument(
            "--deactivate-many",
            action="store_true",
            help="also when the cluster names nobody, or more than half of the users are gone",
        )

    def handle(self, *, dry_run: bool, deactivate_many: bool, **options: Any) -> None:
        try:
            outcome = sync_users(dry_run=dry_run, deactivate_many=deactivate_many)
        except (RestServerError, SyncRefusedError) as error:
            raise CommandError(str(error)) from None
        for problem in outcome.problems:
            self.stderr.write(problem)
        if options["verbosity"]:
            for change in outcome.changes:
                self.stdout.write(change.describe())
            verb = "would change" if dry_run else "changed"
            self.stdout.write(f"{outcome.people} users in the cluster, {len(outcome.changes)} {verb} here.")
