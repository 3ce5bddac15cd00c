"""E-mail over SMTP, or whatever else Django's mail backend is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection

from notifications.delivery import answers
from notifications.delivery.base import AddressRefused, ChannelDown, DeliveryError, Transport
from notifications.delivery.bounded_smtp import EmailBackend
from notifications.delivery.mail import compose
from notifications.delivery.pipelining import StaleConnection
from notifications.delivery.queue import Also
from notifications.models import Delivery
from preferences import addresses
from preferences.selectors import site_language


class EmailTransport(Transport):
    """One connection for all that is sent between `open` and `close`."""

    def __init__(self) -> None:
        self._backend: Any = None
        self._refused: set[str] = set()
        self._given_up: set[str] = set()
        self._site_language = ""

    def why_not(self, delivery: Delivery) -> str:
        user = delivery.notification.user
        if not user.email:
            return "The user has no e-mail address."
        if user.email in self._given_up or addresses.is_given_up(user):
            return "The address has refused too many mails in a row. A test mail from the profile page lifts this."
        return ""

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

    def announce(self, deliveries: Sequence[Delivery]) -> None:
        self._site_language = site_language()  # asked once for all of them

    def send(self, delivery: Delivery) -> None:
        self.post(compose(delivery, site_language=self._site_language))

    def post(self, message: EmailMessage) -> None:
        """Raises like `send`."""
        try:
            self._post(message)
        except StaleConnection:
            self._hang_up()
            self.open()
            self._post(message)

    def _post(self, message: EmailMessage) -> None:
        message.connection = self._backend
        try:
            message.send()
        except StaleConnection:
            raise
        except (OSError, ValueError) as error:
            if not answers.leaves_in_step(error):
                self._hang_up()
            raise answers.about_sending(error) from error

    def to_note(self, delivery: Delivery, error: DeliveryError | None) -> Also:
        user = delivery.notification.user
        if isinstance(error, AddressRefused):
            return partial(self._refused_by, user, str(error))
        if error is None and (user.email in self._refused or addresses.was_refused(user)):
            return partial(self._arrived_at, user)
        return None

    def _refused_by(self, user: User, error: str) -> None:
        self._refused.add(user.email)
        if addresses.refused(user_id=user.pk, address=user.email, error=error):
            self._given_up.add(user.email)

    def _arrived_at(self, user: User) -> None:
        addresses.arrived(user_id=user.pk, address=user.email)
        self._refused.discard(user.email)

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            with suppress(OSError):
                backend.close()

    def _hang_up(self) -> None:
        if isinstance(self._backend, EmailBackend):
            self._backend.hang_up()
        self.close()
