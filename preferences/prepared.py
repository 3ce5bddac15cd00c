"""Statements that PostgreSQL parses once per session: for what runs once for every change on the cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

_BY_NAME = re.compile(r"%\((\w+)\)s")

_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
"""By database session, the names of what it has prepared. That outlives a rollback, and ends with the session."""


def _quoted(text: str | None) -> str:
    if text is None:
        return "NULL"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _yes_or_no(value: bool) -> str:
    return "t" if value else "f"


def _number(value: int | None) -> str:
    return "NULL" if value is None else str(value)


def _moment(value: datetime | None) -> str:
    return "NULL" if value is None else value.isoformat()


_ELEMENTS: dict[str, Callable[[Any], str]] = {
    "text[]": _quoted,
    "int[]": _number,
    "integer[]": _number,
    "bigint[]": _number,
    "boolean[]": _yes_or_no,
    "timestamptz[]": _moment,
}


def array_literal(kind: str, values: Iterable[object]) -> str:
    """A whole column as one literal, which costs a tenth of an ARRAY[…] that is parsed as an expression.

    None is NULL. Its form: PostgreSQL's manual, "Array Input and Output Syntax".
    """
    return "{" + ",".join(map(_ELEMENTS[kind], values)) + "}"


class Prepared:
    """`sql` has a `%s` for each of the `types`. A session of our own is needed (no pooler between transactions).

    A parameter of an array's type is a collection of its elements, or None.
    """

    def __init__(self, name: str, types: Sequence[str], sql: str) -> None:
        numbers = count(1)
        pieces = sql.split("%s")
        assert len(pieces) == len(types) + 1, name
        numbered = pieces[0] + "".join(f"${next(numbers)}{piece}" for piece in pieces[1:])
        self.sql = sql
        self._name = name
        self._arrays = [(index, kind) for index, kind in enumerate(types) if kind.endswith("[]")]
        self._prepare = f"PREPARE {name} ({', '.join(types)}) AS {numbered}"
        self._execute = f"EXECUTE {name} ({', '.join(['%s'] * len(types))})"

    def execute(self, cursor: Any, parameters: Iterable[Any]) -> None:
        known = _prepared.setdefault(cursor.connection, set())
        if self._name not in known:
            cursor.execute(self._prepare)
            known.add(self._name)
        values = list(parameters)
        for index, kind in self._arrays:
            if values[index] is not None:
                values[index] = array_literal(kind, values[index])
        cursor.execute(self._execute, values)


class PreparedByName(Prepared):
    """`sql` has `%(name)s` for the `types`, as often as it likes."""

    def __init__(self, name: str, types: Mapping[str, str], sql: str) -> None:
        found: list[str] = _BY_NAME.findall(sql)
        super().__init__(name, [types[key] for key in found], _BY_NAME.sub("%s", sql).replace("%%", "%"))
        self._names = found

    def execute_with(self, cursor: Any, parameters: Mapping[str, Any]) -> None:
        self.execute(cursor, [parameters[key] for key in self._names])
