"""The test database, past Django's models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg2
from django.db import OperationalError, connection, transaction

FILLED_BY_MIGRATIONS = {"auth_permission", "django_content_type"}
SMALL_BYTES = 256 * 1024


@contextmanager
def second_session(*, autocommit: bool = False) -> Iterator[Any]:
    session = psycopg2.connect(**connection.get_connection_params())
    session.autocommit = autocommit
    try:
        yield session
    finally:
        session.close()


@contextmanager
def another_database(name: str) -> Iterator[str]:
    """An empty database beside that of the tests, dropped at the end with whoever is still in it."""
    with second_session(autocommit=True) as session, session.cursor() as cursor:
        drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
        cursor.execute(drop)
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            cursor.execute(drop)


def sql(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters) or None)
        return cursor.fetchall() if cursor.description else []


def empty_tables() -> None:
    """Takes all rows from Django's tables, also those of transactions that are still open when it is called."""
    for _ in range(5):
        try:
            return _empty_tables()
        except OperationalError:  # a deadlock with a process that is still at work
            continue
    _empty_tables()


def _empty_tables() -> None:
    """A table that holds little is emptied sooner by DELETE, which needs no new files; TRUNCATE ends its growth."""
    with transaction.atomic():
        sql(f"LOCK TABLE {', '.join(_tables())}")  # waits for whoever is writing
        sizes = sql(
            "SELECT name, pg_relation_size(name::regclass) FROM unnest(%s) name "
            "WHERE pg_relation_size(name::regclass) > 0",
            _tables(),
        )
        if large := [name for name, size in sizes if size > SMALL_BYTES]:
            sql(f"TRUNCATE {', '.join(large)} CASCADE")
        for name in (name for name, size in sizes if size <= SMALL_BYTES):
            sql(f"DELETE FROM {name}")


@cache
def _tables() -> list[str]:
    return sorted({*connection.introspection.django_table_names()} - FILLED_BY_MIGRATIONS)
