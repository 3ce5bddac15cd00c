"""The bytes of a mail are those that Python's own generator makes."""

from __future__ import annotations

from email.generator import BytesGenerator
from email.message import Message
from email.policy import compat32
from io import BytesIO

import pytest
from django.core.mail import EmailMultiAlternatives

from notifications.delivery import wire

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


def by_python(message: Message) -> bytes:
    buffer = BytesIO()
    BytesGenerator(buffer, mangle_from_=False, policy=compat32).flatten(message, linesep="\r\n")
    return buffer.getvalue()


def mail(subject: str = "Subject", text: str = "", html: str = "") -> EmailMultiAlternatives:
    made = EmailMultiAlternatives(
        subject=subject,
        body=text,
        to=["Älice <alice@example.org>"],
        headers={
            "Message-ID": "<1@x>",
            "Date": "now",
            "List-Unsubscribe": f"<https://example.org/{'z' * 200}>",
        },
    )
    made.attach_alternative(html, "text/html")
    return made


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts(text: str) -> None:
    message = mail(text=text, html=f"<p>{text}</p>").message()
    message.set_boundary("a-boundary")
    assert wire.as_bytes(message) == by_python(message)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_headers(subject: str) -> None:
    message = mail(subject).message()
    message.set_boundary("a-boundary")
    assert wire.as_bytes(message) == by_python(message)


def test_every_mail_has_a_boundary_that_no_text_can_foresee() -> None:
    first, second = (mail().message() for _ in range(2))
    assert wire.as_bytes(first) != wire.as_bytes(second)
    assert first.get_boundary() != second.get_boundary()


def test_a_mail_without_parts() -> None:
    message = EmailMultiAlternatives(body="Hello", to=["a@example.org"], headers={"Date": "now"}).message()
    assert wire.as_bytes(message) == by_python(message)
