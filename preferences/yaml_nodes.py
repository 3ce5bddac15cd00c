"""A YAML file as nodes that know where they stand in the text.

No tag constructs anything and no alias is followed: a node is what the parser saw, not what it means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ruamel.yaml
import yaml

from preferences.job_protocol import LOADER, bounded

NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class NotYamlError(Exception):
    """The text is no YAML; the message says in which line and why."""


@dataclass(frozen=True)
class Node:
    """`text[start:end]` is the node itself: comments and line breaks behind a block collection are not in it.

    `kind` is "Scalar", "Alias", "Mapping" or "Sequence". `children` of a mapping are keys and values in turn.
    `value` is a scalar's text or an alias's name. `style` of a scalar is its quotes, `|` or `>`; of a flow
    collection `{`; else "". `opening` is where a flow collection's first bracket ends.
    """

    kind: str
    start: int
    end: int
    column: int
    value: str = ""
    style: str = ""
    anchor: str | None = None
    tag: str | None = None
    opening: int = 0
    children: tuple[Node, ...] = ()

    @property
    def is_mapping(self) -> bool:
        return self.kind == "Mapping"

    @property
    def is_null(self) -> bool:
        return self.kind == "Scalar" and not self.style and self.value in NULLS

    @cached_property
    def pairs(self) -> list[tuple[Node, Node]]:
        """The entries of a mapping; none of anything else."""
        items = iter(self.children if self.is_mapping else ())
        return list(zip(items, items, strict=True))

    def named(self, key: str) -> list[tuple[Node, Node]]:
        return [pair for pair in self.pairs if pair[0].kind == "Scalar" and pair[0].value == key]

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Document:
    """`end` is where its content ends: before an explicit `...`, else at the end of the text."""

    root: Node | None
    end: int


def parse(text: str, max_events: int) -> list[Document]:
    """As PyYAML sees it, the reader of job files. Raises NotYamlError; TooMuchError beyond its bounds."""
    try:
        return _documents(bounded(yaml.parse(text, Loader=LOADER), max_events), len(text))
    except (yaml.YAMLError, UnicodeError) as error:
        raise NotYamlError(_where(error)) from None


def parse_again(text: str) -> list[Document]:
    """As ruamel.yaml sees it, which follows YAML 1.2 like the cluster's own reader. It is slow and knows no bounds."""
    try:
        return _documents(ruamel.yaml.YAML(typ="safe", pure=True).parse(text), len(text))
    except (ruamel.yaml.error.YAMLError, UnicodeError, RecursionError) as error:
        raise NotYamlError(_where(error)) from None


def _documents(events: Iterator[Any], length: int) -> list[Document]:
    found = []
    for event in events:
        if _kind(event) == "DocumentStart":
            first = next(events)
            if _kind(first) == "DocumentEnd":
                root, last = None, first
            else:
                root, last = _node(first, events), next(events)
            found.append(Document(root, last.start_mark.index if last.explicit else length))
    return found


def _node(first: Any, events: Iterator[Any]) -> Node:
    kind = _kind(first)
    start, end, column = first.start_mark.index, first.end_mark.index, first.start_mark.column
    if kind == "Alias":
        return Node(kind, start, end, column, first.anchor)
    tag = None if first.tag is None else str(first.tag)
    if kind == "Scalar":
        return Node(kind, start, end, column, first.value, first.style or "", first.anchor, tag)
    children = []
    while not _kind(last := next(events)).endswith("End"):
        children.append(_node(last, events))
    style = "{" if first.flow_style else ""
    leaf = children[-1].end if children and not style else last.end_mark.index
    name = kind.removesuffix("Start")
    return Node(name, start, leaf, column, "", style, first.anchor, tag, end, tuple(children))


def _kind(event: Any) -> str:
    """Both parsers call their events alike."""
    return type(event).__name__.removesuffix("Event")


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return "it has a character that may not be in YAML"
    return f"line {mark.line + 1}: {getattr(error, 'problem', None) or 'something is wrong'}"
