"""Whole columns as parameters: what goes in comes out, whatever is in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import DataError, connection, transaction

from preferences.prepared import Message, Prepared, PreparedByName
from tests.database import sql

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


def test_a_statement_may_go_after_another() -> None:
    statement = Prepared("test_after", ["text"], "SELECT %s, current_setting('test.before')")
    with connection.cursor() as cursor:
        statement.execute(cursor, ["a;b"], after="SELECT set_config('test.before', '100%', true)")
        assert cursor.fetchall() == [("a;b", "100%")]


class TestMessage:
    append = Prepared(
        "test_append",
        ["text[]"],
        "SELECT set_config('test.said', current_setting('test.said') || array_to_string(%s, ''), true)",
    )

    def said(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('test.said')")
            return str(cursor.fetchone()[0])

    def test_statements_go_together_each_after_those_before_it(self) -> None:
        message = Message()
        message.add("SET test.said = '0'")
        message.add(self.append, [["%s;", "'"]])
        message.add(self.append, [["2"]])
        message.send()
        message.send()  # has nothing left
        assert self.said() == "0%s;'2"

    def test_when_one_fails_the_rest_is_not_run(self) -> None:
        sql("SET test.said = '0'")
        message = Message()
        message.add(self.append, [["1"]])
        message.add("SELECT 1 / 0")
        message.add(self.append, [["2"]])
        with pytest.raises(DataError, match="division by zero"), transaction.atomic():
            message.send()
        assert self.said() == "0"
