from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from preferences import encryption, targets


class Command(BaseCommand):
    help = "Makes a key for ENCRYPTION_KEYS, or encrypts what is stored anew with the first of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["make", "renew"])

    def handle(self, *, action: str, **options: Any) -> None:
        if action == "make":
            self.stdout.write(encryption.new_key())
            return
        done, unreadable = targets.encrypt_all_anew()
        self.stdout.write(f"{done} encrypted anew.")
        if unreadable:
            raise CommandError(
                f"{unreadable} cannot be read with any key; put the old key back, or remove them."
            )
