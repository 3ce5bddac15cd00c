from __future__ import annotations

import json
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from notifcenter.doctor.examination import examine
from notifcenter.doctor.finding import Finding, Level
from notifications.delivery import samples
from notifications.delivery.base import DeliveryError
from notifications.delivery.test_mail import send_samples


class Command(BaseCommand):
    help = "Looks at everything that has to work, and says what to do where it does not. Exits 1 when something fails."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON object instead of lines"
        )
        parser.add_argument("--send-to", metavar="ADDRESS", help="also send a test mail there")

    def handle(self, *, as_json: bool, send_to: str | None, **options: Any) -> None:
        if send_to is not None:
            try:
                validate_email(send_to)
            except ValidationError:
                raise CommandError(
                    f"{send_to!r} is no mail address; write it like alice@example.org."
                ) from None
        findings = []
        for one in examine():
            self._show(one, quiet=as_json)
            findings.append(one)
        if send_to is not None:
            findings.append(_sent(send_to))
            self._show(findings[-1], quiet=as_json)
        healthy = all(one.level is not Level.FAIL for one in findings)
        if as_json:
            self.stdout.write(_as_json(findings, healthy))
        if not healthy:
            sys.exit(1)

    def _show(self, one: Finding, *, quiet: bool) -> None:
        if not quiet:
            self.stdout.write(one.line())
            self.stdout.flush()


def _sent(address: str) -> Finding:
    try:
        (subject,) = send_samples(address, [samples.message("test")])
    except DeliveryError as error:
        return Finding("test mail", Level.FAIL, f"not taken: {error}", "The line `mail` above says more.")
    return Finding("test mail", Level.OK, f"the mail server has taken {subject!r} to {address}")


def _as_json(findings: list[Finding], healthy: bool) -> str:
    return json.dumps({"ok": healthy, "checks": [one.as_dict() for one in findings]}, indent=2)
