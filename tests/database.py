"""The test database, past Django's models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from django.db import connection


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
