"""Sets the notification block in the text of a job's file, and leaves every other byte as it is.

Dumping a parsed file again would lose bytes: spaces, line ends, quotes, folds. So the parser only tells where the
block is or belongs (`block_places`), and that text alone is replaced. The result is parsed again, by two parsers: the
block must say what was asked for, and everything else must be what it was. What cannot be done that way is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext

from preferences.block_places import Places, Splice, spliced
from preferences.job_protocol import (
    BLOCK_KEY,
    EXTRAS_KEY,
    FILE_KEYS,
    MAX_CHARACTERS,
    Block,
    TooMuchError,
    read_block,
)
from preferences.kinds import Event
from preferences.yaml_nodes import Document, Node, NotYamlError, parse, parse_again

MAX_EDITED_CHARACTERS = MAX_CHARACTERS - 1024
"""With the block in it, the file must still be one that is read."""

MAX_EDITED_EVENTS = 5_000
"""The second parser takes about an eighth of a second for so many. Real files have some hundreds."""

BOM = "\ufeff"

Parser = Callable[[str], list[Document]]


class JobFileError(Exception):
    """The block cannot be set in this file; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Edited:
    text: str
    warnings: tuple[str, ...] = ()


def set_block(text: str, events: Mapping[Event, bool | int]) -> Edited:
    """The file with a block that names exactly these events; `waiting_too_long` may be minutes.

    Raises JobFileError.
    """
    bom = BOM if text.startswith(BOM) else ""
    before = text[len(bom) :]
    if len(before) > MAX_EDITED_CHARACTERS:
        raise JobFileError(
            gettext("The file is larger than %(most)d KB.") % {"most": MAX_EDITED_CHARACTERS // 1024}
        )
    try:
        return _edited(bom, before, events)
    except NotYamlError as error:
        raise JobFileError(gettext("The file is no valid YAML: %(error)s.") % {"error": error}) from None
    except TooMuchError as error:
        raise JobFileError(gettext("The file cannot be edited here: %(error)s.") % {"error": error}) from None


def _edited(bom: str, before: str, events: Mapping[Event, bool | int]) -> Edited:
    document = _only_document(before, _first_parser)
    root = _usable_root(document)
    rests = [(_first_parser, _rest(document))]
    with suppress(
        NotYamlError
    ):  # it has no second opinion about tabs, which are allowed between values and comments
        rests.append((parse_again, _rest(_only_document(before, parse_again))))
    values = {key: str(events[event]).lower() for key, event in FILE_KEYS.items() if event in events}
    for attempt in Places(before, root, document.end).attempts(values):
        after = spliced(before, attempt)
        if read_block(after) == _as_read(events) and all(_is_still(rest, after, by) for by, rest in rests):
            return Edited(bom + after, _losses(before, attempt, events))
    raise JobFileError(
        f"The block cannot be put into this file without touching the rest of it. Write `{EXTRAS_KEY}:` and "
        f"`{BLOCK_KEY}:` on lines of their own, and try again."
    )


def _first_parser(text: str) -> list[Document]:
    return parse(text, MAX_EDITED_EVENTS)


def _only_document(text: str, parser: Parser) -> Document:
    documents = parser(text)
    if not documents:
        raise JobFileError(gettext("The file is empty."))
    if len(documents) > 1:
        raise JobFileError(gettext("The file holds several documents (`---`); a job's file has one."))
    return documents[0]


def _usable_root(document: Document) -> Node:
    """The mapping that the whole file is. Raises JobFileError for what must not be touched."""
    root = document.root
    if root is None or not root.is_mapping:
        raise JobFileError(gettext("The file must hold lines such as `name: my_job`."))
    found = root.named(EXTRAS_KEY)
    if len(found) > 1:
        raise JobFileError(f"`{EXTRAS_KEY}` is there twice; leave one.")
    if not found:
        if root.named("<<"):
            raise JobFileError(
                f"`<<` at the top of the file may hold `{EXTRAS_KEY}`; write `{EXTRAS_KEY}` out."
            )
        return root
    extras = found[0][1]
    if extras.kind == "Alias":
        raise JobFileError(f"`{EXTRAS_KEY}` is an alias; write it out.")
    if not (extras.is_mapping or extras.is_null):
        raise JobFileError(f"`{EXTRAS_KEY}` must hold lines such as `{BLOCK_KEY}:`.")
    blocks = extras.named(BLOCK_KEY)
    if len(blocks) > 1:
        raise JobFileError(f"`{BLOCK_KEY}` is there twice; leave one.")
    _refuse_shared(root, extras, [block for _, block in blocks])
    return root


def _refuse_shared(root: Node, extras: Node, blocks: list[Node]) -> None:
    """What is used elsewhere in the file, too, cannot be changed here alone."""
    inside = [node for block in blocks for node in block.walk()]
    anchors = {node.anchor for node in (root, extras, *inside) if node.anchor}
    changed = set(map(id, inside))
    for node in root.walk():
        if node.kind == "Alias" and node.value in anchors and id(node) not in changed:
            raise JobFileError(f"`*{node.value[:40]}` repeats a part that would change; write it out.")


def _as_read(events: Mapping[Event, bool | int]) -> Block:
    minutes = events.get(Event.WAITING_TOO_LONG)
    limit = None if isinstance(minutes, bool) else minutes
    return Block({event: bool(value) for event, value in events.items()}, limit)


def _is_still(rest: list[object], after: str, parser: Parser) -> bool:
    try:
        return _rest(_only_document(after, parser)) == rest
    except (NotYamlError, TooMuchError, JobFileError):
        return False


def _rest(document: Document) -> list[object]:
    """All but the block, and but `extras` when nothing else is in it, in a form that can be compared."""
    if document.root is None or not document.root.is_mapping:
        raise JobFileError(gettext("The parsers do not agree about this file."))
    seen: list[object] = [(document.root.anchor, document.root.tag)]
    for key, value in document.root.pairs:
        if key.value != EXTRAS_KEY or not (value.is_mapping or value.is_null):
            seen += [*_parts(key), *_parts(value)]
            continue
        others = [pair for pair in value.pairs if pair[0].value != BLOCK_KEY]
        if others or value.anchor or value.tag:
            seen += ["extras", value.anchor, value.tag]
            seen += [part for pair in others for node in pair for part in _parts(node)]
    return seen


def _parts(node: Node) -> Iterator[object]:
    yield node.kind, node.anchor, node.tag, node.value, node.style
    for child in node.children:
        yield from _parts(child)
    yield "end"


def _losses(before: str, splices: list[Splice], events: Mapping[Event, bool | int]) -> tuple[str, ...]:
    """What was in the old block and is not in the new one."""
    old = read_block(before)
    gone = [key for key, event in FILE_KEYS.items() if (old.block or {}).get(event) and event not in events]
    comments = "#" in "".join(before[start:end] for start, end, _ in splices)
    return (
        *(f"In the old block: {warning}" for warning in old.warnings),
        *(f"`{key}` was switched on in the old block and is not named any more." for key in gone),
        *([gettext("The comments inside the old block are gone.")] if comments else []),
    )
