"""E-mail over SMTP, or whatever else Django's mail backend is."""

from __future__ import annotations

import smtplib
from contextlib import suppress
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

from notifications.delivery.base import ChannelDown, DeliveryError, Transport
from notifications.delivery.mail import compose
from notifications.models import Delivery

OK = 250
FIRST_PERMANENT = 500


class EmailTransport(Transport):
    """One connection for all that is sent between `open` and `close`."""

    def __init__(self) -> None:
        self._backend: Any = None

    def why_not(self, delivery: Delivery) -> str:
        return "" if delivery.notification.user.email else "The user has no e-mail address."

    def open(self) -> None:
        if self._backend is not None:
            if _is_ready(self._backend):
                return
            self._hang_up()
        if not settings.EMAIL_CONFIGURED:
            raise ChannelDown("No mail server is configured: EMAIL_URL is not set.")
        backend = None
        try:
            backend = get_connection()
            backend.open()
        except smtplib.SMTPAuthenticationError as error:
            _abort(backend)
            raise ChannelDown(f"The mail server refuses our login: {_answer(error)}") from error
        except (OSError, ImproperlyConfigured) as error:
            _abort(backend)
            raise ChannelDown(f"The mail server cannot be used: {_answer(error)}") from error
        self._backend = backend

    def send(self, delivery: Delivery) -> None:
        message = compose(delivery)
        message.connection = self._backend
        try:
            message.send()
        except (OSError, ValueError) as error:
            if not isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException):
                self._hang_up()  # where in the dialogue it stopped is not known
            raise_for(error)

    def close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            with suppress(OSError):
                backend.close()

    def _hang_up(self) -> None:
        backend, self._backend = self._backend, None
        _abort(backend)


def raise_for(error: Exception) -> NoReturn:
    """What an exception of the SMTP dialogue means for the delivery, and for the channel."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, text = next(iter(error.recipients.values()))
            permanent = code >= FIRST_PERMANENT
            raise DeliveryError(
                f"The address was refused: {code} {_text(text)}", permanent=permanent
            ) from error
        case smtplib.SMTPSenderRefused() if error.smtp_code >= FIRST_PERMANENT:
            raise ChannelDown(f"The mail server refuses our sender address: {_answer(error)}") from error
        case smtplib.SMTPResponseException():
            permanent = error.smtp_code >= FIRST_PERMANENT
            raise DeliveryError(f"The mail was refused: {_answer(error)}", permanent=permanent) from error
        case smtplib.SMTPNotSupportedError():
            raise DeliveryError(f"The mail server cannot do this: {error}", permanent=True) from error
        case ValueError():
            raise DeliveryError(f"The address cannot be used: {error}", permanent=True) from error
        case _:
            raise DeliveryError(f"The connection broke: {_answer(error)}", permanent=False) from error


def _is_ready(backend: Any) -> bool:
    """Whether the connection is good for another mail: servers hang up after a while, or after so many.

    RSET rather than NOOP, because smtplib leaves a mail half begun when DATA is refused.
    """
    connection = getattr(backend, "connection", None)
    if not isinstance(connection, smtplib.SMTP):
        return True
    try:
        return connection.rset()[0] == OK
    except OSError:
        return False


def _abort(backend: Any) -> None:
    """Close without a word: a server that stalls would keep us waiting for its answer to QUIT."""
    for name in ("connection", "_partial_connection"):
        connection = getattr(backend, name, None)
        if isinstance(connection, smtplib.SMTP):
            connection.close()
            setattr(backend, name, None)
    with suppress(OSError, AttributeError):
        backend.close()


def _answer(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
