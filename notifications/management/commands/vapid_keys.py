from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from notifications import vapid


class Command(BaseCommand):
    help = "Makes the key by which push services know this site, and prints what to set."

    def handle(self, **options: Any) -> None:
        self.stdout.write(
            f"VAPID_PRIVATE_KEY={vapid.new_private_key()}\nVAPID_CONTACT=mailto:admin@example.org"
        )
        self.stderr.write(
            "VAPID_CONTACT is an address of yours. Keep the key: with another one, every browser must be added anew."
        )
