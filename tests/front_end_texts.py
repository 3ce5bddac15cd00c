"""What the modules of the front end say to people: the texts they translate, and those they forgot to translate."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from notifcenter.settings import BASE_DIR

STATIC = BASE_DIR / "static" / "notifcenter"
CATALOGUES = sorted((STATIC / "locale").glob("*.json"))

_STRING = r'"((?:[^"\\\n]|\\.)*)"'
_CALL = re.compile(rf"(?<![\w.$])(?:this\.)?(?:t|msg)\(\s*{_STRING}")
_PLURAL = re.compile(rf"(?<![\w.$])(?:this\.)?t\.plural\([^;]*?,\s*{_STRING}(?:\)|,\s*\{{)")
_SENTENCE = re.compile(r'["`]((?!Bearer )[A-Z][^"`\n]* [^"`\n]*)["`]')
_COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL)
_HOLE = "\ufffc"
"""Stands for an expression inside a template."""
_SPOKEN = ("alt", "aria-description", "aria-label", "aria-roledescription", "label", "placeholder", "title")


def modules() -> list[Path]:
    return sorted(STATIC.glob("*.js"))


def texts_of(module: Path) -> set[str]:
    """What is translated there, as the catalogues have it; of a plural the text for many."""
    source = module.read_text(encoding="utf-8")
    found = [match[1] for pattern in (_CALL, _PLURAL) for match in pattern.finditer(source)]
    return {json.loads(f'"{text}"') for text in found}


def untranslated(source: str) -> list[str]:
    """Words that stand in the templates of a module as they are, in attributes that are read out or shown too;
    and sentences that no call translates."""
    words = [text for template in _templates(source) for text in _Words.of(template)]
    translated = {match.span(1) for pattern in (_CALL, _PLURAL) for match in pattern.finditer(source)}
    code = _COMMENT.sub(lambda comment: " " * len(comment[0]), source)
    return words + [match[1] for match in _SENTENCE.finditer(code) if match.span(1) not in translated]


def _templates(source: str) -> Iterator[str]:
    """The contents of html`…`, each expression replaced by _HOLE; those inside of expressions come by themselves."""
    for start in (match.end() for match in re.finditer(r"(?<!\w)html`", source)):
        yield _until_backtick(source, start)[0]


def _until_backtick(source: str, place: int) -> tuple[str, int]:
    """A template's text from there on, and the place behind its end."""
    text = ""
    while source[place] != "`":
        if source.startswith("${", place):
            place, text = _behind_expression(source, place + 2), text + _HOLE
        else:
            text, place = text + source[place], place + 1
    return text, place + 1


def _behind_expression(source: str, place: int) -> int:
    depth = 1
    while depth:
        if source[place] == "`":
            place = _until_backtick(source, place + 1)[1]
            continue
        if source[place] in "\"'":
            place = source.index(source[place], place + 1)
        depth += {"{": 1, "}": -1}.get(source[place], 0)
        place += 1
    return place


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def of(cls, template: str) -> list[str]:
        parser = cls()
        parser.feed(template)
        parser.close()
        return [text.strip() for text in parser.found if re.search(r"[^\W\d_]", text)]

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in _SPOKEN and value]
