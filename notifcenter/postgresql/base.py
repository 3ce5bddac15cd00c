from __future__ import annotations

from types import TracebackType

from django.db import OperationalError
from django.db.backends.postgresql import base, features
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property


class DatabaseFeatures(features.DatabaseFeatures):
    minimum_database_version = (12,)


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

    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        return ErrorWrapper(self)
