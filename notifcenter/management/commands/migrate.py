from __future__ import annotations

import time
from typing import Any

import psycopg2.errors
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connection
from psycopg2.extensions import set_wait_callback
from psycopg2.extras import wait_select

AGAIN_SECONDS = 5.0

_IN_THE_WAY = """
SELECT pid, usename, COALESCE(NULLIF(application_name, ''), backend_type),
       extract(epoch FROM clock_timestamp() - xact_start)::int
  FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
 ORDER BY xact_start LIMIT 1
"""


class Command(migrate.Command):
    """Django's, which waits for tables that others use without having everybody else wait behind it."""

    def handle(self, *arguments: Any, **options: Any) -> None:
        set_wait_callback(wait_select)  # Ctrl-C reaches a statement that the server is at work on
        try:
            while not self._has_ended(*arguments, **options):
                time.sleep(AGAIN_SECONDS)
        finally:
            set_wait_callback(None)

    def _has_ended(self, *arguments: Any, **options: Any) -> bool:
        """Whether all is done; not when a lock could not be had, and what had begun was rolled back."""
        try:
            super().handle(*arguments, **options)
        except OperationalError as error:
            if isinstance(error.__cause__, psycopg2.errors.QueryCanceled):
                raise CommandError("Broken off. Run it again: it goes on where it was.") from None
            if not isinstance(error.__cause__, psycopg2.errors.LockNotAvailable):
                raise
            self.stdout.write(f" waits: {_who()} Trying again every {AGAIN_SECONDS:.0f} seconds.")
            self.stdout.flush()
            return False
        return True


def _who() -> str:
    """The oldest transaction, which is the likeliest to hold what is waited for."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_THE_WAY)
        found = cursor.fetchone()
    if found is None:
        return "somebody uses the table."
    return "somebody uses the table, for all one can see process {} of {} ({}), in a transaction for {} s.".format(
        *found
    )
