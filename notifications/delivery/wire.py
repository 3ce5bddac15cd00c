"""A mail as the bytes that go to the server: those of `email.generator`, without its work for each line and header."""

from __future__ import annotations

import re
import secrets
from email import policy
from email.generator import BytesGenerator
from email.message import Message
from io import BytesIO
from typing import Any

NEWLINE = "\r\n"
SHORT_HEADER_CHARACTERS = 78
"""With its name; what is longer is folded."""

_ANY_NEWLINE = re.compile(r"\r\n|\r|\n")


def as_bytes(message: Message) -> bytes:
    if message.is_multipart() and message.get_boundary() is None:
        # Else the generator looks for one by searching all of the mail, with an expression that it compiles for it.
        message.set_boundary(secrets.token_hex(16))
    buffer = BytesIO()
    _Generator(buffer, mangle_from_=False, policy=_POLICY).flatten(message, linesep=NEWLINE)
    return buffer.getvalue()


class _Policy(policy.Compat32):
    def fold_binary(self, name: str, value: Any) -> bytes:
        """Most headers need no folding, and are not taken apart to find that out."""
        if (
            isinstance(value, str)
            and len(name) + len(value) + 2 <= SHORT_HEADER_CHARACTERS
            and value.isascii()
            and value.isprintable()
        ):
            return f"{name}: {value}{self.linesep}".encode()
        return super().fold_binary(name, value)


_POLICY = _Policy()


class _Generator(BytesGenerator):
    def _write_lines(self, lines: str) -> None:
        if lines:
            self.write(_ANY_NEWLINE.sub(NEWLINE, lines))
