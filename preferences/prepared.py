"""Statements that PostgreSQL parses once per session: for what runs once for every change on the cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any, cast
from weakref import WeakKeyDictionary

from django.db import connection

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

    def execute(self, cursor: Any, parameters: Iterable[Any], *, after: str = "") -> None:
        """`after` is a statement that goes first, in the same message, and whose answer nobody needs."""
        statement = f"{after.replace('%', '%%')}; {self._execute}" if after else self._execute
        cursor.execute(statement, self._ready(cursor, parameters))

    def bound(self, cursor: Any, parameters: Iterable[Any]) -> str:
        """The text that runs it in the session of this cursor."""
        return cast(bytes, cursor.mogrify(self._execute, self._ready(cursor, parameters))).decode()

    def _ready(self, cursor: Any, parameters: Iterable[Any]) -> list[Any]:
        known = _prepared.setdefault(cursor.connection, set())
        if self._name not in known:
            cursor.execute(self._prepare)
            known.add(self._name)
        values = list(parameters)
        for index, kind in self._arrays:
            if values[index] is not None:
                values[index] = array_literal(kind, values[index])
        return values


class PreparedByName(Prepared):
    """`sql` has `%(name)s` for the `types`, as often as it likes."""

    def __init__(self, name: str, types: Mapping[str, str], sql: str) -> None:
        found: list[str] = _BY_NAME.findall(sql)
        super().__init__(name, [types[key] for key in found], _BY_NAME.sub("%s", sql).replace("%%", "%"))
        self._names = found

    def execute_with(self, cursor: Any, parameters: Mapping[str, Any]) -> None:
        self.execute(cursor, [parameters[key] for key in self._names])


class Message:
    """Statements of one transaction whose answers nobody needs, sent together: one way to the server instead of one
    for each. Each sees what those before it have done; when one fails, the rest is not run.
    """

    def __init__(self) -> None:
        self._statements: list[tuple[Prepared | str, Sequence[Any]]] = []

    def add(self, statement: Prepared | str, parameters: Sequence[Any] = ()) -> None:
        """A text stands for itself, without parameters."""
        self._statements.append((statement, parameters))

    def send(self) -> None:
        if not self._statements:
            return
        with connection.cursor() as cursor:
            cursor.execute("; ".join(_bound(cursor, *one) for one in self._statements))
        self._statements.clear()


def _bound(cursor: Any, statement: Prepared | str, parameters: Sequence[Any]) -> str:
    return statement if isinstance(statement, str) else statement.bound(cursor, parameters)
