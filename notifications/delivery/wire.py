"""A mail as the bytes that go to the server: those of `email.generator`, without its objects and without its work for
each line and header."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from email import policy
from email.generator import BytesGenerator
from email.utils import formatdate
from io import BytesIO

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.message import RFC5322_EMAIL_LINE_LENGTH_LIMIT, forbid_multi_line_headers

NEWLINE = "\r\n"
SHORT_HEADER_CHARACTERS = 78
"""With its name; what is longer is folded."""

ENCODING = "utf-8"
HTML = "text/html"

_ANY_NEWLINE = re.compile(r"\r\n|\r|\n")
_POLICY = policy.compat32.clone(linesep=NEWLINE)


class _UnusualError(Exception):
    """Something in it needs Python's own way."""


def as_bytes(mail: EmailMessage) -> bytes:
    """Raises ValueError for a newline in a header, and for an address that is none."""
    try:
        return _text_and_html(mail)
    except (_UnusualError, UnicodeEncodeError):
        buffer = BytesIO()
        BytesGenerator(buffer, mangle_from_=False, policy=_POLICY).flatten(mail.message())
        return buffer.getvalue()


def _text_and_html(mail: EmailMessage) -> bytes:
    """What every mail of ours is."""
    alternatives = mail.alternatives if isinstance(mail, EmailMultiAlternatives) else []
    is_usual = (
        [kind for _, kind in alternatives] == [HTML] and mail.body and mail.encoding in (None, ENCODING)
    )
    if not is_usual or mail.attachments or mail.cc or mail.reply_to:
        raise _UnusualError
    boundary = secrets.token_hex(16).encode()
    return b"".join([
        *(_header(name, str(value)) for name, value in _headers(mail)),
        b'Content-Type: multipart/alternative; boundary="%b"\r\nMIME-Version: 1.0\r\n\r\n' % boundary,
        *(b"--%b\r\n%b\r\n" % (boundary, part) for part in (
            _part("plain", str(mail.body)), _part("html", str(alternatives[0][0]))
        )),
        b"--%b--\r\n" % boundary,
    ])  # fmt: skip


def _headers(mail: EmailMessage) -> Iterator[tuple[str, object]]:
    extra = mail.extra_headers
    known = {name.lower() for name in extra}
    if "message-id" not in known or known & {"from", "to", "cc", "reply-to"}:
        raise _UnusualError
    yield "Subject", mail.subject
    yield "From", mail.from_email
    yield "To", ", ".join(map(str, mail.to))
    if "date" not in known:
        yield "Date", formatdate()
    yield from extra.items()


def _header(name: str, value: str) -> bytes:
    """Most headers need no folding, and are not taken apart to find that out."""
    if len(name) + len(value) + 2 <= SHORT_HEADER_CHARACTERS and value.isascii() and value.isprintable():
        return f"{name}: {value}{NEWLINE}".encode()
    return _POLICY.fold_binary(name, forbid_multi_line_headers(name, value, ENCODING)[1])


def _part(kind: str, text: str) -> bytes:
    lines = _ANY_NEWLINE.sub(NEWLINE, text) if "\r" in text else text.replace("\n", NEWLINE)
    data = lines.encode()
    if max(map(len, data.split(b"\n"))) > RFC5322_EMAIL_LINE_LENGTH_LIMIT:
        raise _UnusualError
    bits = b"7bit" if lines.isascii() else b"8bit"
    about = b'Content-Type: text/%b; charset="utf-8"\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: %b\r\n\r\n'
    return about % (kind.encode(), bits) + data
