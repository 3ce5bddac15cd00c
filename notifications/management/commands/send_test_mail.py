from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils import translation

from notifications.delivery import samples
from notifications.delivery.base import DeliveryError
from notifications.delivery.test_mail import send_samples
from preferences.selectors import site_language

ALL = "all"


class Command(BaseCommand):
    help = "Sends every kind of mail with made-up data, to see whether mail arrives and what it looks like."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", required=True, metavar="ADDRESS")
        parser.add_argument("--message", choices=[*samples.NAMES, ALL], default=ALL, help="default: all")
        parser.add_argument(
            "--language", choices=[code for code, _ in settings.LANGUAGES], help="default: the site's"
        )

    def handle(self, *, to: str, message: str, language: str | None, **options: Any) -> None:
        try:
            validate_email(to)
        except ValidationError:
            raise CommandError(f"{to!r} is no mail address; write it like alice@example.org.") from None
        names = samples.NAMES if message == ALL else (message,)
        with translation.override(language or site_language()):
            try:
                for subject in send_samples(to, map(samples.message, names)):
                    self.stdout.write(f"sent: {subject}")
            except DeliveryError as error:
                raise CommandError(f"Not sent: {error}") from None
