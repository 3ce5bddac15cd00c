"""Where in the text of a job's file the notification block is, or belongs: the pieces of text to be replaced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from preferences.job_protocol import BLOCK_KEY, EXTRAS_KEY
from preferences.yaml_nodes import Node

INDENTATION = 2
"""Of a file that has nothing to take it from."""

Values = Mapping[str, "str | Values"]
"""What is to be written: {"failed": "true", "waitingTooLong": "90"}, and that below its key."""

Splice = tuple[int, int, str]
"""Start, end, and what comes there instead."""

_BREAK = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"[ \t]*#[^\r\n]*")


def spliced(text: str, splices: Iterable[Splice]) -> str:
    for start, end, new in sorted(splices, reverse=True):
        text = text[:start] + new + text[end:]
    return text


class Places:
    """`end` is where the content of the document ends."""

    def __init__(self, text: str, root: Node, end: int) -> None:
        self._text = text
        self._root = root
        self._end = end
        found = _BREAK.search(text)
        self._break = found.group() if found else "\n"
        deeper = (v.children[0].column - root.column for _, v in root.pairs if v.is_mapping and not v.style)
        self._step = max(next(deeper, INDENTATION), 1)
        self._quote = '"' if root.style and root.children and root.children[0].style == '"' else ""

    def attempts(self, values: Values) -> Iterator[list[Splice]]:
        """Ways to write the block, the best first; the caller checks what becomes of the file."""
        root, nested = self._root, {BLOCK_KEY: values}
        if not (found := root.named(EXTRAS_KEY)):
            last = root.children[-2] if root.children else root
            places = [self._end, self._above_comments(_line_start(last))]
            return self._added(root, {EXTRAS_KEY: nested}, places)
        key, extras = found[0]
        if not extras.is_mapping:
            return self._replaced(key, extras, root, nested)
        if not (found := extras.named(BLOCK_KEY)):
            return self._added(extras, nested, [self._after_line(key.end)])
        key, block = found[0]
        return (
            self._changed(block, values) if block.is_mapping else self._replaced(key, block, extras, values)
        )

    def _added(self, mapping: Node, entries: Values, lines_at: Iterable[int]) -> Iterator[list[Splice]]:
        """New entries; in a block mapping on lines of their own, at one of these line starts or at its first key."""
        if mapping.style:
            text = self._flow_entries(entries)
            if mapping.children:
                end = mapping.children[-1].end
                yield [(end, end, f", {text}")]
                yield [(mapping.opening, mapping.opening, f"{text}, ")]
            else:
                yield [(mapping.opening, mapping.opening, text)]
        else:
            for at in [*lines_at, _line_start(mapping.children[0])]:
                yield [self._lines(at, entries, mapping.children[0].column)]

    def _replaced(self, key: Node, value: Node, parent: Node, entries: Values) -> Iterator[list[Splice]]:
        """A mapping instead of nothing, a scalar or an alias."""
        start = value.start
        if value.is_null and not parent.style and entries:
            while self._text[start - 1] in " \t":
                start -= 1
            at = self._after_line(value.end)
            yield [(start, value.end, ""), self._lines(at, entries, key.column + self._step)]
        space = " " if self._text[value.start - 1] == ":" else ""
        yield [self._instead(value.start, value.end, f"{space}{{{self._flow_entries(entries)}}}")]

    def _changed(self, block: Node, values: Values) -> Iterator[list[Splice]]:
        """The entries that differ and those that are missing; if that is not possible, the whole block anew."""
        present = {key.value: value for key, value in block.pairs}
        changes = [
            (value.start, value.end, str(values[key]))
            for key, value in present.items()
            if key in values and self._text[value.start : value.end] != values[key]
        ]
        missing = {key: value for key, value in values.items() if key not in present}
        added = next(self._added(block, missing, [self._after_line(block.end)])) if missing else []
        yield [*changes, *added]
        if block.style:
            yield [(block.start, block.end, f"{{{self._flow_entries(values)}}}")]
        else:
            first = block.children[0]
            comment = _COMMENT.match(self._text, block.end)
            end = comment.end() if comment else block.end
            lines = self._block_lines(values, first.column) or [" " * first.column + "{}"]
            yield [self._instead(first.start, end, self._break.join(lines)[first.column :])]

    def _instead(self, start: int, end: int, new: str) -> Splice:
        """Some nodes reach to the end of their line."""
        return start, end, new + (self._break if self._text[start:end].endswith(("\r", "\n")) else "")

    def _lines(self, at: int, entries: Values, column: int) -> Splice:
        lines = self._break.join(self._block_lines(entries, column))
        if at == len(self._text) and self._text[-1:] not in ("\r", "\n"):
            return at, at, self._break + lines
        return at, at, lines + self._break

    def _block_lines(self, entries: Values, column: int) -> list[str]:
        lines = []
        for key, value in entries.items():
            if isinstance(value, str) or not value:
                lines.append(f"{' ' * column}{key}: {value or '{}'}")
            else:
                lines += [f"{' ' * column}{key}:", *self._block_lines(value, column + self._step)]
        return lines

    def _flow_entries(self, entries: Values) -> str:
        q = self._quote
        return ", ".join(
            f"{q}{key}{q}: {value if isinstance(value, str) else f'{{{self._flow_entries(value)}}}'}"
            for key, value in entries.items()
        )

    def _after_line(self, at: int) -> int:
        found = _BREAK.search(self._text, at)
        return found.end() if found else len(self._text)

    def _above_comments(self, at: int) -> int:
        """The start of the comment lines that stand right above this line: they belong to it."""
        while at:
            above = max(self._text.rfind("\n", 0, at - 1), self._text.rfind("\r", 0, at - 2)) + 1
            if not _COMMENT.match(self._text, above, at):
                break
            at = above
        return at


def _line_start(node: Node) -> int:
    return node.start - node.column
