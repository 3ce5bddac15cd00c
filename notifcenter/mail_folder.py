"""The folder into which the demo's mails go, as Django's file backend writes it: mails, divided by a line."""

from __future__ import annotations

import email
import heapq
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

FILE_NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{1,20}\.log")
DIVIDER = b"\n" + b"-" * 79 + b"\n"


MAX_READ_FILES = 500


@dataclass(frozen=True, slots=True)
class Mail:
    """`file` and `number` name it; texts are as they were sent, to be escaped."""

    file: str
    number: int
    subject: str
    sender: str
    to: str
    date: datetime | None
    text: str
    html: str


def newest(folder: Path, limit: int, to: str | None = None) -> list[Mail]:
    """The newest mails, or those to one address."""
    mails: list[Mail] = []
    for name in heapq.nlargest(MAX_READ_FILES, _names(folder)):
        mails += [mail for mail in reversed(list(_mails(folder, name))) if to in (None, mail.to)]
        if len(mails) >= limit:
            break
    return mails[:limit]


def find(folder: Path, file: str, number: int) -> Mail | None:
    """`file` comes from an address: what does not look like one of the names is not even looked for."""
    if not FILE_NAME.fullmatch(file) or (folder / file).is_symlink():
        return None
    return next((mail for mail in _mails(folder, file) if mail.number == number), None)


def prune(folder: Path, keep: int) -> None:
    """Deletes the oldest files beyond `keep`."""
    names = list(_names(folder))
    for name in heapq.nsmallest(max(0, len(names) - keep), names):
        (folder / name).unlink(missing_ok=True)


def _names(folder: Path) -> Iterable[str]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [entry.name for entry in entries if FILE_NAME.fullmatch(entry.name) and not entry.is_symlink()]
    return []


def _mails(folder: Path, name: str) -> Iterator[Mail]:
    try:
        content = (folder / name).read_bytes()
    except OSError:
        return
    for number, raw in enumerate(content.split(DIVIDER)):
        if raw.strip():
            yield _mail(name, number, email.message_from_bytes(raw, policy=policy.default))


def _mail(file: str, number: int, message: EmailMessage) -> Mail:
    try:
        date = parsedate_to_datetime(message["Date"])
    except (TypeError, ValueError):
        date = None
    return Mail(
        file=file,
        number=number,
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        date=date,
        text=_body(message, "plain"),
        html=_body(message, "html"),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    try:
        return "" if part is None else str(part.get_content())
    except (LookupError, UnicodeError):
        return ""
