"""What a database error means to a process that goes on for ever."""

from __future__ import annotations

import psycopg2
import psycopg2.errors
from django.db import (
    DatabaseError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

LOST_CONNECTION = (
    OperationalError,
    InterfaceError,
    InternalError,  # the session sat idle in a transaction for too long
    NotSupportedError,  # a column's type was changed under a prepared statement
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    psycopg2.InternalError,
)


def may_be_the_change(error: Exception) -> bool:
    """Whether the change, or the row of its job, may be to blame: then it has to be found and put aside."""
    if isinstance(error.__cause__ or error, psycopg2.errors.DataCorrupted):
        return True  # of one row; the session goes on
    return not isinstance(error, (*LOST_CONNECTION, ProgrammingError))


def what_happened(error: Exception) -> str:
    """In a few words, for the log: what keeps the poller from going on for the moment."""
    cause = error.__cause__ or error
    if isinstance(cause, psycopg2.errors.LockNotAvailable):
        return "the table is locked"
    if isinstance(cause, psycopg2.errors.FeatureNotSupported):
        return "the table was altered"
    return "database unreachable"


def in_words(error: Exception) -> str:
    return str(error).strip() if isinstance(error, DatabaseError) else repr(error)


def refusal(error: ProgrammingError) -> str:
    """What to do about a missing right; '' for other errors."""
    if not isinstance(error.__cause__, psycopg2.errors.InsufficientPrivilege):
        return ""
    return (
        f"The database refused: {str(error).strip()}. "
        "The role needs all rights on our tables, and on `frameworks` what deploy/postgres/grants.sql lists."
    )
