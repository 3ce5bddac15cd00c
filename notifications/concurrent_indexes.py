"""Indexes made and dropped beside a running system, by migrations that may be broken off anywhere and begun again."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

LOOK_AGAIN_SECONDS = 1.0

_STATE = """
SELECT indisvalid, EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = indexrelid)
  FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))
"""


class BuildIndex(AddIndexConcurrently):
    """Makes an index without a lock on its table, once.

    A CREATE INDEX CONCURRENTLY that was broken off leaves an index that is written and never used: it is dropped and
    built anew. One whose client was killed may still be at work in the server: it is waited for.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.collect_sql or not _is_there(schema_editor, self.index.name):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class DropIndex(RemoveIndexConcurrently):
    """Drops an index without a lock on its table, if it is there; put back, it is as with BuildIndex."""

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.collect_sql or not _is_there(schema_editor, self.name):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def _is_there(schema_editor: BaseDatabaseSchemaEditor, name: str) -> bool:
    """Whether there is nothing left to do. In between there is no index of that name, whatever was there before."""
    while True:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(_STATE, [name])
            found = cursor.fetchone()
        if found is None:
            return False
        is_valid, is_at_work = found
        if is_valid:
            return True
        if is_at_work:
            time.sleep(LOOK_AGAIN_SECONDS)
        else:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")
