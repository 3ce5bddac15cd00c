from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.sources.frameworks import capture


class Command(BaseCommand):
    help = "Installs, checks or removes the capture of changes on the cluster's table."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["install", "check", "remove"])
        parser.add_argument(
            "--without-notify",
            action="store_true",
            help="install only: never NOTIFY; the poller's interval decides",
        )

    def handle(self, *, action: str, without_notify: bool, **options: Any) -> None:
        try:
            lines = self._act(action, with_notify=not without_notify)
        except capture.CaptureError as error:
            raise CommandError(str(error)) from None
        if action == "check" and lines:
            raise CommandError("\n".join(lines))
        if options["verbosity"]:
            self.stdout.write("\n".join(lines or ["The capture is in place."]))

    def _act(self, action: str, *, with_notify: bool) -> list[str]:
        match action:
            case "install":
                return capture.install(with_notify=with_notify) or ["already in place"]
            case "remove":
                return capture.remove() or ["nothing to remove"]
            case _:
                return capture.missing()
