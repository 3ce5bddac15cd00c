"""What an answer of a mail server means: for this mail, for its address, for all mails."""

from __future__ import annotations

import re
import smtplib

from notifications.delivery.base import AddressRefused, ChannelBroken, ChannelDown, DeliveryError, Stalled

LOGIN_CODES = frozenset({530, 534, 535, 538})
"""Login needed, too weak, refused, encryption needed (RFC 4954)."""

OUR_STATUSES = frozenset({"5.1.7", "5.1.8", "5.4.5", "5.7.8", "5.2.252", "5.7.60"})
"""Enhanced status codes about us, whichever command they answer: the sender's address, or its domain (RFC 3463), the
sender's quota (Gmail), the login (RFC 4954), sending as this sender (Exchange)."""

OF_THE_ADDRESS = re.compile(r"5\.[12]\.")
"""The recipient's address or mailbox (RFC 3463), for servers that say so only after the mail itself."""

POSTFIX_ABOUT_US = re.compile(r"(\d\.\d+\.\d+ )?<[^>]*>: (Sender address|Client host|Helo command) rejected")
"""Postfix says this in answer to RCPT (smtpd_delay_reject). Only its own words count, at the beginning: what follows
may be quoted from a foreign server."""

TOO_LARGE = 552
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?= |$)")


def about_opening(error: Exception) -> ChannelDown:
    """No connection that could be used: never the fault of a mail."""
    said = f"{describe(error)}"
    match error:
        case smtplib.SMTPAuthenticationError() if _is_permanent(error.smtp_code):
            return ChannelBroken(f"The mail server refuses our login: {said}")
        case smtplib.SMTPResponseException() if _is_permanent(error.smtp_code):
            return ChannelBroken(f"The mail server refuses us: {said}")
        case smtplib.SMTPNotSupportedError():
            return ChannelBroken(f"The mail server does not offer what EMAIL_URL asks for: {said}")
        case _:
            return ChannelDown(f"The mail server cannot be used: {said}")


def about_sending(error: Exception) -> DeliveryError:
    """What ended the sending of one mail."""
    said = describe(error)
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, text = next(iter(error.recipients.values()))
            return _about_recipient(code, as_text(text))
        case smtplib.SMTPResponseException() if is_nonsense(error.smtp_code):
            return DeliveryError(f"The mail server's answer makes no sense: {said}", permanent=False)
        case smtplib.SMTPSenderRefused() if _is_permanent(error.smtp_code) and error.smtp_code != TOO_LARGE:
            return ChannelBroken(f"The mail server refuses our sender address: {said}")
        case smtplib.SMTPResponseException():
            return _about_mail(error.smtp_code, as_text(error.smtp_error))
        case smtplib.SMTPNotSupportedError():
            return AddressRefused(f"The mail server cannot take this address: {error}")
        case ValueError():
            return AddressRefused(f"The address cannot be used: {error}")
        case _ if _timed_out(error):
            return Stalled(f"The mail server took too long: {said}")
        case _:
            return DeliveryError(f"The connection broke: {said}", permanent=False)


def is_nonsense(code: int) -> bool:
    """No answer that a mail server gives when it refuses something."""
    return not 400 <= code < 600


def leaves_in_step(error: Exception) -> bool:
    """Whether both sides still know where in their dialogue they are."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return not any(is_nonsense(code) for code, _ in error.recipients.values())
        case smtplib.SMTPResponseException():
            return not is_nonsense(error.smtp_code)
    return False


def describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {as_text(error.smtp_error)}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def as_text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _about_recipient(code: int, text: str) -> DeliveryError:
    if is_nonsense(code):
        return DeliveryError(f"The mail server's answer makes no sense: {code} {text}", permanent=False)
    if _is_about_us(code, text):
        return ChannelBroken(f"The mail server refuses us: {code} {text}")
    said = f"The address was refused: {code} {text}"
    return AddressRefused(said) if _is_permanent(code) else DeliveryError(said, permanent=False)


def _about_mail(code: int, text: str) -> DeliveryError:
    if _is_about_us(code, text):
        return ChannelBroken(f"The mail server refuses us: {code} {text}")
    if _is_permanent(code) and OF_THE_ADDRESS.match(_status(text)):
        return AddressRefused(f"The address was refused: {code} {text}")
    return DeliveryError(f"The mail was refused: {code} {text}", permanent=_is_permanent(code))


def _is_about_us(code: int, text: str) -> bool:
    if not _is_permanent(code):
        return False
    return code in LOGIN_CODES or _status(text) in OUR_STATUSES or bool(POSTFIX_ABOUT_US.match(text))


def _is_permanent(code: int) -> bool:
    return 500 <= code < 600


def _status(text: str) -> str:
    """The enhanced status code at the beginning, such as 5.1.1; '' without one."""
    found = _STATUS.match(text)
    return found[0] if found else ""


def _timed_out(error: Exception) -> bool:
    """smtplib turns a timeout into a connection that was closed."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
