"""E-mail over SMTP, or whatever else Django's mail backend is."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

from notifications.delivery import answers
from notifications.delivery.base import ChannelDown, Transport
from notifications.delivery.bounded_smtp import EmailBackend
from notifications.delivery.mail import compose
from notifications.models import Delivery


class EmailTransport(Transport):
    """One connection for all that is sent between `open` and `close`."""

    def __init__(self) -> None:
        self._backend: Any = None

    def why_not(self, delivery: Delivery) -> str:
        return "" if delivery.notification.user.email else "The user has no e-mail address."

    def open(self) -> None:
        if self._backend is not None:
            if not isinstance(self._backend, EmailBackend) or self._backend.is_ready():
                return
            self._hang_up()
        if not settings.EMAIL_CONFIGURED:
            raise ChannelDown("No mail server is configured: EMAIL_URL is not set.")
        try:
            self._backend = get_connection()
            self._backend.open()
        except (OSError, ImproperlyConfigured) as error:
            self._hang_up()
            raise answers.about_opening(error) from error

    def send(self, delivery: Delivery) -> None:
        message = compose(delivery)
        message.connection = self._backend
        try:
            message.send()
        except (OSError, ValueError) as error:
            if not answers.leaves_in_step(error):
                self._hang_up()
            raise answers.about_sending(error) from error

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            with suppress(OSError):
                backend.close()

    def _hang_up(self) -> None:
        if isinstance(self._backend, EmailBackend):
            self._backend.hang_up()
        self.close()
