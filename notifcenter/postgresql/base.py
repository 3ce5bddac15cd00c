from __future__ import annotations

from types import TracebackType
from typing import Self

from django.db import OperationalError
from django.db.backends.postgresql import base, features, schema
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property

LOCK_SECONDS = 2


class DatabaseFeatures(features.DatabaseFeatures):
    minimum_database_version = (12,)


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """Whoever waits to change a table has everybody else wait behind: a migration gives up soon, to be tried again."""

    def __enter__(self) -> Self:
        super().__enter__()
        if self.atomic_migration and not self.collect_sql:
            self.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        return self


class ErrorWrapper(DatabaseErrorWrapper):
    """An error without a code of the server's comes from the connection. Mostly psycopg2 says OperationalError, but
    when a server is killed it may say DatabaseError, which is also all that a server refuses."""

    wrapper: base.DatabaseWrapper

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and type(error) is self.wrapper.Database.DatabaseError:
            self.wrapper.errors_occurred = True
            raise OperationalError(*error.args).with_traceback(trace) from error
        super().__exit__(kind, error, trace)


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
    SchemaEditorClass = DatabaseSchemaEditor

    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        return ErrorWrapper(self)
