"""No migration after the first holds a lock on a large table for as long as the table is large."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations import RunSQL, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from notifications.concurrent_indexes import BuildIndex, DropIndex

APPS = ("accounts", "notifications", "preferences")
LARGE = ("notifications_notification", "notifications_delivery", "notifications_received")
"""Those that grow with what the cluster does; the others have a row a user, or few."""

DROP = "DROP INDEX CONCURRENTLY IF EXISTS "
FORBIDDEN = {
    "an index that is not made CONCURRENTLY": r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)",
    "an index that is not dropped CONCURRENTLY": r"DROP INDEX (?!CONCURRENTLY)",
    "a constraint that looks at all rows (make it NOT VALID, validate it in the next migration)": (
        r"ADD CONSTRAINT (?!.*NOT VALID)"
    ),
    "NOT NULL on a column that exists": r"SET NOT NULL",
    "a new column that is NOT NULL and has no default": r"ADD COLUMN (?!.*DEFAULT).*NOT NULL",
    "a new column whose default is made for each row": r"ADD COLUMN .*DEFAULT [^,;]*\((?!.*(STATEMENT_TIMESTAMP|now))",
    "a column that is written anew": r"ALTER COLUMN .* TYPE ",
    "a name that the running processes do not know": r"RENAME (COLUMN|TO) ",
    "a column that the running processes still name": r"DROP COLUMN ",
    "all rows in one statement": r"^\s*(UPDATE|DELETE) ",
}


def statements(app: str, name: str) -> Iterator[str]:
    loader = MigrationLoader(connection, replace_migrations=False)
    node = (app, name)
    plan = [(loader.graph.nodes[node], False)]
    for statement in loader.collect_sql(plan):
        if not statement.startswith("--"):
            yield statement


def later_migrations() -> list[tuple[str, str]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return sorted(key for key in loader.disk_migrations if key[0] in APPS and not key[1].startswith("0001"))


def faults(statement: str) -> list[str]:
    if not any(table in statement for table in LARGE):
        return []
    return [
        what
        for what, pattern in FORBIDDEN.items()
        if re.search(pattern, statement, re.IGNORECASE | re.DOTALL)
    ]


@pytest.mark.django_db(transaction=True)  # what is made CONCURRENTLY refuses a transaction
def test_a_migration_holds_up_nobody() -> None:
    found = later_migrations()
    assert ("notifications", "0004_one_delivery_per_way") in found
    for app, name in found:
        for statement in statements(app, name):
            assert faults(statement) == [], f"{app} {name}: {statement}"


def test_what_is_not_one_transaction_can_be_done_again() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    apart = [loader.disk_migrations[key] for key in later_migrations()]
    apart = [one for one in apart if not one.atomic]
    assert apart
    for one in apart:
        for operation in one.operations:
            assert can_be_done_again(operation), f"{one}: {operation.describe()}"


def can_be_done_again(operation: Operation) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return all(map(can_be_done_again, operation.database_operations))
    if isinstance(operation, RunSQL):  # what it makes it has dropped before
        lines = [str(line) for line in operation.sql]
        dropped = {line.removeprefix(DROP) for line in lines if line.startswith(DROP)}
        return all(set(line.split()) & dropped for line in lines if not line.startswith(DROP))
    return isinstance(operation, BuildIndex | DropIndex)


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE INDEX "x" ON "notifications_notification" ("event");',
        'DROP INDEX IF EXISTS "one" ON "notifications_notification";',
        'ALTER TABLE "notifications_delivery" ADD CONSTRAINT "x" CHECK (attempts > 0);',
        'ALTER TABLE "notifications_delivery" ALTER COLUMN "bundle_id" SET NOT NULL;',
        'ALTER TABLE "notifications_delivery" ADD COLUMN "x" integer NOT NULL;',
        'ALTER TABLE "notifications_delivery" ADD COLUMN "x" uuid DEFAULT gen_random_uuid() NOT NULL;',
        'ALTER TABLE "notifications_received" ALTER COLUMN "key" TYPE text;',
        'ALTER TABLE "notifications_received" DROP COLUMN "key" CASCADE;',
        'ALTER TABLE "notifications_received" RENAME COLUMN "key" TO "x";',
        'UPDATE "notifications_notification" SET event = event;',
    ],
)
def test_what_would_hold_up_others_is_noticed(statement: str) -> None:
    assert faults(statement)


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE INDEX CONCURRENTLY "x" ON "notifications_notification" ("event");',
        'ALTER TABLE "notifications_notification" ADD COLUMN "saved" boolean DEFAULT false NOT NULL;',
        'ALTER TABLE "notifications_notification" ADD COLUMN "x" timestamp with time zone NULL;',
        'ALTER TABLE "notifications_delivery" ADD CONSTRAINT "x" CHECK (attempts > 0) NOT VALID;',
        'CREATE INDEX "x" ON "preferences_target" ("user_id");',
    ],
)
def test_what_holds_up_nobody_is_let_through(statement: str) -> None:
    assert faults(statement) == []
