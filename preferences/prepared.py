"""Statements that PostgreSQL parses once per session: for what runs once for every change on the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
"""By database session, the names of what it has prepared. That outlives a rollback, and ends with the session."""


class Prepared:
    """`sql` has a `%s` for each of the `types`. A session of our own is needed (no pooler between transactions)."""

    def __init__(self, name: str, types: Sequence[str], sql: str) -> None:
        numbers = count(1)
        pieces = sql.split("%s")
        assert len(pieces) == len(types) + 1, name
        numbered = pieces[0] + "".join(f"${next(numbers)}{piece}" for piece in pieces[1:])
        self.sql = sql
        self._name = name
        self._prepare = f"PREPARE {name} ({', '.join(types)}) AS {numbered}"
        self._execute = f"EXECUTE {name} ({', '.join(['%s'] * len(types))})"

    def execute(self, cursor: Any, parameters: Sequence[object]) -> None:
        known = _prepared.setdefault(cursor.connection, set())
        if self._name not in known:
            cursor.execute(self._prepare)
            known.add(self._name)
        cursor.execute(self._execute, parameters)
