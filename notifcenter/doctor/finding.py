"""What one look finds, and looking within a bounded time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from django.db import connection

from notifications.wording import one_line

LONGEST_SECONDS = 15.0
"""For one look, whatever it looks at; those that ask others have shorter bounds of their own."""


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` is what was seen, `todo` what to do about it, '' when all is well. Neither holds a secret."""

    check: str
    level: Level
    text: str
    todo: str = ""

    def line(self) -> str:
        """For a terminal: one line, and a second one with what to do."""
        found = f"{self.level:4}  {self.check:12}  {one_line(self.text)}"
        return f"{found}\n{'':20}→ {one_line(self.todo)}" if self.todo else found

    def as_dict(self) -> Mapping[str, str]:
        return asdict(self)


Seen = tuple[Level, str, str]
Check = Callable[[], Seen | Iterable[Seen]]


def ok(text: str) -> Seen:
    return Level.OK, text, ""


def warn(text: str, todo: str) -> Seen:
    return Level.WARN, text, todo


def fail(text: str, todo: str) -> Seen:
    return Level.FAIL, text, todo


def look(name: str, check: Check, seconds: float = LONGEST_SECONDS) -> list[Finding]:
    """What a check sees. One that raises, or takes longer than `seconds`, has failed; it is not waited for."""
    seen: list[Seen] = []

    def run() -> None:
        try:
            found = check()
            seen.extend([found] if isinstance(found, tuple) else found)
        except Exception as error:  # whatever it is, the other checks are still worth their answers
            seen.append(
                fail(f"{type(error).__name__}: {error}", "If this does not explain itself, report it.")
            )
        finally:
            connection.close()

    thread = threading.Thread(target=run, name=f"doctor-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        todo = "Find out who does not answer; a firewall may drop it."
        seen = [fail(f"no answer within {seconds:.0f} seconds", todo)]
    return [Finding(name, *one) for one in seen]
