"""Whole columns as parameters: what goes in comes out, whatever is in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from preferences.prepared import Prepared, PreparedByName

pytestmark = pytest.mark.django_db

INDIA = timezone(timedelta(hours=5, minutes=30))
COLUMNS = {
    "text[]": [
        "job", "", " ", "NULL", "null", None, 'a"b', "a\\b", '\\"', "{}", "{a,b}", "a,b", "a'b", "'; DROP TABLE x; --",
        "%s $1", "line\nend\ttab\r", "作业 🚀", "<img src=x onerror=alert(1)>", "x" * 10_000,
    ],
    "int[]": [0, -1, 2**31 - 1, None],
    "bigint[]": [2**63 - 1, None],
    "boolean[]": [True, False],
    "timestamptz[]": [
        datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC), datetime(1999, 12, 31, tzinfo=INDIA), None,
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", COLUMNS)
def test_what_goes_in_comes_out(kind: str) -> None:
    statement = Prepared(f"test_{kind[:-2]}", [kind], "SELECT value FROM unnest(%s) AS value")
    with connection.cursor() as cursor:
        statement.execute(cursor, [COLUMNS[kind]])
        assert [value for (value,) in cursor.fetchall()] == COLUMNS[kind]
        for nothing in ((), None):
            statement.execute(cursor, [nothing])
            assert cursor.fetchall() == []


def test_columns_stand_side_by_side() -> None:
    statement = Prepared(
        "test_side_by_side", ["text", "int[]", "text[]"], "SELECT %s, n, t FROM unnest(%s, %s) c(n, t)"
    )
    with connection.cursor() as cursor:
        statement.execute(cursor, ["all", {1: 0, 2: 0}, iter(["a", "b"])])
        assert cursor.fetchall() == [("all", 1, "a"), ("all", 2, "b")]


def test_parameters_by_name_may_come_again() -> None:
    types = {"word": "text", "number": "int"}
    statement = PreparedByName("test_by_name", types, "SELECT %(number)s %% 5, %(word)s, %(word)s")
    with connection.cursor() as cursor:
        for number in (7, 8):
            statement.execute_with(cursor, {"word": "a%s", "number": number, "more": "is passed over"})
            assert cursor.fetchall() == [(number - 5, "a%s", "a%s")]
