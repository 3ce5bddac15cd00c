"""Reads the notification block of an OpenPAI job protocol, the YAML file that a user submits.

    extras:
      jobStatusChangeNotification:
        failed: true
        waitingTooLong: 90

The file is hostile: it is read event by event, so that no tag constructs anything and no alias is ever
expanded; size, depth and number of events are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import yaml

from preferences.kinds import Event
from preferences.models import MAX_WAITING_MINUTES
from preferences.rules import JobFile

EXTRAS_KEY = "extras"
BLOCK_KEY = "jobStatusChangeNotification"
FILE_KEYS: Mapping[str, Event] = {
    "running": Event.RUNNING,
    "succeeded": Event.SUCCEEDED,
    "failed": Event.FAILED,
    "stopped": Event.STOPPED,
    "retried": Event.RETRIED,
    "waitingTooLong": Event.WAITING_TOO_LONG,
}
"""OpenPAI's five keys (its protocol schema allows booleans only), and ours."""

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 64
MAX_YAML_EVENTS = 40_000
MAX_WARNINGS = 20
MAX_SHOWN_CHARACTERS = 40

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_WANTED = {Event.WAITING_TOO_LONG: f"true, false or minutes (1 to {MAX_WAITING_MINUTES})"}
_MINUTES = re.compile(r"[0-9]{1,9}")
LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Block:
    """What the file says. `block` is None when it says nothing; `ignored` are events named with an unusable
    value, which are looked up on the next level instead of counting as "no"."""

    block: Mapping[Event, bool] | None = None
    waiting_minutes: int | None = None
    warnings: tuple[str, ...] = ()
    ignored: frozenset[Event] = frozenset()


NO_BLOCK = Block()


def read_block(text: str | None) -> Block:
    """The notification block of a job's YAML. Never raises; what cannot be read becomes a warning."""
    if not text or BLOCK_KEY not in text:
        return NO_BLOCK
    if len(text) > MAX_CHARACTERS:
        return Block(warnings=(f"The file is larger than {MAX_CHARACTERS // 1024} KB and was not read.",))
    try:
        return _Reader(text).read()
    except TooMuchError as error:
        return Block(warnings=(f"The file was not read: {error}.",))
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return Block(warnings=(f"The file is no valid YAML{where} and was not read.",))
    except (yaml.YAMLError, UnicodeError):
        return Block(warnings=("The file is no valid YAML and was not read.",))


def as_job_file(block: Block, columns: Iterable[Event]) -> JobFile:
    """What `rules` decides with; `columns` are the events whose notificationAt* column is true."""
    return JobFile(
        block=block.block,
        columns=frozenset(columns),
        waiting_minutes=block.waiting_minutes,
        ignored=block.ignored,
    )


class TooMuchError(Exception):
    """The file is nested deeper, or has more parts, than any job's file has."""


class _Reader:
    """Walks the parser's events down `extras` → `jobStatusChangeNotification`, and over all the rest."""

    def __init__(self, text: str) -> None:
        self._events = bounded(yaml.parse(text, Loader=LOADER))
        self._warnings: dict[str, None] = {}

    def read(self) -> Block:
        """Reads to the end of the file, so that one that is broken further down counts as broken."""
        found: Block | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                in_document = self._document()
                found = found or in_document
        warnings = list(self._warnings)
        if len(warnings) > MAX_WARNINGS:
            warnings[MAX_WARNINGS:] = ["There are more mistakes like these."]
        found = found or NO_BLOCK
        return Block(found.block, found.waiting_minutes, tuple(warnings), found.ignored)

    def _document(self) -> Block | None:
        found: Block | None = None
        root = next(self._events)
        if not isinstance(root, yaml.DocumentEndEvent):
            for key, value in self._entries(root):
                if key == EXTRAS_KEY:
                    found = self._extras(value)
                else:
                    self._skip(value)
        return found

    def _extras(self, node: yaml.Event) -> Block | None:
        if isinstance(node, yaml.AliasEvent):
            self._warn(f"`{EXTRAS_KEY}` is an alias, which is not followed; write it out.")
        found: Block | None = None
        for key, value in self._entries(node):
            if key != BLOCK_KEY:
                self._skip(value)
                continue
            if found is not None:
                self._warn(f"`{BLOCK_KEY}` is there twice; the last one counts.")
            found = self._block(value)
        return found

    def _block(self, node: yaml.Event) -> Block | None:
        if not isinstance(node, yaml.MappingStartEvent):
            if not _is_null(node):
                self._warn(f"`{BLOCK_KEY}` must hold lines such as `failed: true`; ignored.")
            self._skip(node)
            return None
        events: dict[Event, bool] = {}
        ignored: set[Event] = set()
        minutes: int | None = None
        for key, value in self._entries(node):
            event = FILE_KEYS.get(key or "")
            if event is None:
                self._warn(f"{_shown(key)} is no event; use {', '.join(FILE_KEYS)}.")
                self._skip(value)
                continue
            if event in events or event in ignored:
                self._warn(f"`{key}` is there twice; the last one counts.")
            choice, limit = _choice(event, value)
            self._skip(value)
            if event is Event.WAITING_TOO_LONG:
                minutes = limit
            if choice is None:
                self._warn(f"`{key}` must be {_WANTED.get(event, 'true or false')}; ignored.")
                events.pop(event, None)
                ignored.add(event)
            else:
                events[event] = choice
                ignored.discard(event)
        return Block(events, minutes, ignored=frozenset(ignored))

    def _entries(self, node: yaml.Event) -> Iterator[tuple[str | None, yaml.Event]]:
        """Keys of a mapping (None: not a plain text) with the first event of their values.

        The caller takes each value's events before asking for the next. Anything but a mapping is skipped.
        """
        if not isinstance(node, yaml.MappingStartEvent):
            self._skip(node)
            return
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            self._skip(key)
            yield (key.value if isinstance(key, yaml.ScalarEvent) else None), next(self._events)

    def _skip(self, first: yaml.Event) -> None:
        """Takes the rest of the node that begins with this event."""
        depth = 1 if isinstance(first, yaml.CollectionStartEvent) else 0
        while depth:
            event = next(self._events)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _warn(self, warning: str) -> None:
        if len(self._warnings) <= MAX_WARNINGS:
            self._warnings[warning] = None


def bounded(events: Iterator[yaml.Event], most: int = MAX_YAML_EVENTS) -> Iterator[yaml.Event]:
    """The same events. Raises TooMuchError when they nest too deep, or are more than that."""
    depth = 0
    for number, event in enumerate(events):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise TooMuchError(f"it is nested deeper than {MAX_DEPTH} levels")
        if number > most:
            raise TooMuchError(f"it has more than {most} parts")
        yield event


def _plain(node: yaml.Event) -> str | None:
    """The text of a scalar that has neither quotes nor a tag."""
    if isinstance(node, yaml.ScalarEvent) and not node.style and node.tag is None:
        return str(node.value)
    return None


def _is_null(node: yaml.Event) -> bool:
    return _plain(node) in _NULLS


def _choice(event: Event, node: yaml.Event) -> tuple[bool | None, int | None]:
    """Wanted or not (None: unusable), and the waiting limit if the value is one."""
    text = _plain(node)
    if text in _BOOLEANS:
        return _BOOLEANS[text], None
    if event is Event.WAITING_TOO_LONG and text is not None and _MINUTES.fullmatch(text):
        minutes = int(text)
        if 1 <= minutes <= MAX_WAITING_MINUTES:
            return True, minutes
    return None, None


def _shown(key: str | None) -> str:
    """A key as it may stand in a warning: one line, bounded."""
    if key is None:
        return "A key that is no text"
    short = key if len(key) <= MAX_SHOWN_CHARACTERS else key[:MAX_SHOWN_CHARACTERS] + "…"
    return repr(short)
