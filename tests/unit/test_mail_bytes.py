"""The bytes of a mail mean what those mean that Python's own generator makes, header by header and part by part."""

from __future__ import annotations

import email
from email.generator import BytesGenerator
from email.message import Message
from email.policy import compat32
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.message import BadHeaderError
from django.utils import translation

from notifications.delivery import mail as mails
from notifications.delivery import samples, wire

TEXTS = {
    "plain": "Hello\n",
    "empty": "",
    "no newline at the end": "Hello",
    "every newline": "one\r\ntwo\rthree\nfour\n\n\n",
    "a dot and From at the beginning of a line": ".\nFrom me\n..\n",
    "not ASCII": "作业失败：显存不足\nÄöü\n",
    "long lines": "x" * 2_000 + "\n" + "ö" * 2_000,
    "separators that are no newlines": "one\x0btwo\x0cthree\x1cfour\x85five\u2028six",
    "a boundary": "--boundary--\n--boundary\n",
}
SUBJECTS = [
    "short",
    "x" * 65,
    "word " * 40,
    "y" * 300,
    "作业失败" * 20,
    "Ä",
    "a\tb",
    "",
    "trailing ",
    "=?utf-8?q?x?=",
]
UNUSUAL: dict[str, dict[str, Any]] = {
    "copies": {"cc": ["bob@example.org"]},
    "an address to answer to": {"reply_to": ["bob@example.org"]},
    "an attachment": {"attachments": [("a.txt", "text", "text/plain")]},
    "no Message-ID": {"headers": {"Date": "now", "Message-Id ": "x"}},
    "another sender": {"headers": {"From": "bob@example.org", "Message-ID": "<1@x>", "Date": "now"}},
}


def parts(raw: bytes) -> tuple[list[Any], list[Any]]:
    """Its headers and its parts, each with headers and bytes; what is made up for each mail is left out."""
    read: Message = email.message_from_bytes(raw)
    boundary = read.get_boundary()
    headers = sorted(
        (name, value.replace(boundary, "") if boundary else value)
        for name, value in read.items()
        if not value.startswith("multipart/")
    )
    inside = [
        (sorted(part.items()), part.get_payload(decode=True))
        for part in read.walk()
        if not part.is_multipart()
    ]
    return headers, inside


def by_python(made: EmailMessage) -> bytes:
    buffer = BytesIO()
    BytesGenerator(buffer, mangle_from_=False, policy=compat32).flatten(made.message(), linesep="\r\n")
    return buffer.getvalue()


def mail(subject: str = "Subject", text: str = "", html: str = "", **values: Any) -> EmailMultiAlternatives:
    headers = {"Message-ID": "<1@x>", "Date": "now", "List-Unsubscribe": f"<https://example.org/{'z' * 200}>"}
    values = {"to": ["Älice <alice@example.org>"], "headers": headers, **values}
    made = EmailMultiAlternatives(subject=subject, body=text, **values)
    made.attach_alternative(html, "text/html")
    return made


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts(text: str) -> None:
    made = mail(text=text, html=f"<p>{text}</p>")
    assert parts(wire.as_bytes(made)) == parts(by_python(made))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_headers(subject: str) -> None:
    made = mail(subject, text="Hello")
    assert parts(wire.as_bytes(made)) == parts(by_python(made))


@pytest.mark.parametrize("values", UNUSUAL.values(), ids=UNUSUAL)
def test_what_no_mail_of_ours_has(values: dict[str, Any]) -> None:
    made = mail(text="Hello", **values)
    ours, theirs = (parts(raw) for raw in (wire.as_bytes(made), by_python(made)))
    assert [one for one in ours[0] if one[0] != "Message-ID"] == [
        one for one in theirs[0] if one[0] != "Message-ID"
    ]
    assert ours[1] == theirs[1]


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
@pytest.mark.parametrize("name", samples.NAMES)
def test_every_mail_of_ours(name: str, language: str) -> None:
    with translation.override(language):
        made = mails.mail_to(
            "alice@example.org", samples.message(name), headers={"Message-ID": "<1@x>", "Date": "now"}
        )
    ours = wire.as_bytes(made)
    assert parts(ours) == parts(by_python(made))
    assert b"\n" not in ours.replace(b"\r\n", b"")
    assert ours.endswith(b"--\r\n")
    assert not email.message_from_bytes(ours).defects


def test_no_header_has_a_second_line_of_somebodys_own() -> None:
    with pytest.raises(BadHeaderError):
        wire.as_bytes(mail("Hello\r\nBcc: everybody@example.org", text="Hello"))


def test_every_mail_has_a_boundary_that_no_text_can_foresee() -> None:
    first, second = (email.message_from_bytes(wire.as_bytes(mail(text="Hello"))) for _ in range(2))
    assert first.get_boundary() != second.get_boundary()


def test_a_mail_without_parts() -> None:
    made = EmailMultiAlternatives(
        body="Hello", to=["a@example.org"], headers={"Date": "now", "Message-ID": "<1@x>"}
    )
    assert parts(wire.as_bytes(made)) == parts(by_python(made))
