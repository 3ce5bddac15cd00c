"""What the names of a sweep's jobs have in common. Pure; names are foreign text.

A name ends in one or more parts that vary: numbers, perhaps with a key before them (`lr=0.1`, `seed42`), or the eight
hexadecimal digits that OpenPAI's web portal adds to the name of a cloned job. The first part of a name never varies,
unless it is the only one.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_NAME_CHARACTERS = 256
"""A longer name has no stem; the cluster's column holds no longer one."""

ANY = "*"
"""Stands in a stem for what varies."""

_REMEMBERED = 4096
_DIGITS = "0123456789"
_LAST = frozenset(_DIGITS + "abcdef")
_PLAIN_HEAD = re.compile(r"[^\d]*[^\d.eE+]")

# Its pieces are bounded and can be divided in one way only, so that the time is linear in the name.
_PART = re.compile(
    r"(?:(?<=[-_.,:/+ ])|\A)"
    r"(?:(?=[a-f]{0,7}[0-9])[0-9a-f]{8}|([A-Za-z]{0,24}(?:=-?)?)[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
    r"(?=[-_.,:/+ ]|\Z)"
)


def stem_of(name: str) -> str | None:
    """ "sweep-*" for "sweep-001", "bert-lr=*-seed*" for "bert-lr=0.1-seed42"; None when nothing at its end varies."""
    if not name or name[-1] not in _LAST or len(name) > MAX_NAME_CHARACTERS:
        return None
    head = name.rstrip(_DIGITS)
    return (head != name and _of_head(head)) or _of_parts(name)


@lru_cache(maxsize=_REMEMBERED)
def _of_head(head: str) -> str | None:
    """For most names, which hold one number, at their end; `head` is what is before it."""
    return head + ANY if _PLAIN_HEAD.fullmatch(head) and _has_letter(head) else None


@lru_cache(maxsize=_REMEMBERED)
def _of_parts(name: str) -> str | None:
    parts = _ending(name)
    if not parts:
        return None
    stem = name[: parts[0].start()] + ANY.join(
        f"{name[part.start() - 1] if number else ''}{part[1] or ''}" for number, part in enumerate(parts)
    )
    return stem + ANY if _has_letter(stem) else None


def _ending(name: str) -> list[re.Match[str]]:
    """The parts at the end that vary, in their order, one separator between two of them."""
    ending: list[re.Match[str]] = []
    for part in _PART.finditer(name):
        if ending and ending[-1].end() + 1 != part.start():
            ending.clear()
        ending.append(part)
    if not ending or ending[-1].end() != len(name):
        return []
    return ending[1:] if ending[0].start() == 0 and len(ending) > 1 else ending


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))
