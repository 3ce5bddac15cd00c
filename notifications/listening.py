"""LISTEN on a connection of its own: psycopg2 hands out notifications only on poll(), and NOTIFY needs autocommit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg2
from django.db import connection

from notifications.waiting import wait_readable
from preferences.prepared import Prepared

LIVE_CHANNEL = "notifcenter_live"
"""NOTIFY to the web processes. Payload: '' for new notifications, or the id of a user whose counts changed."""


class Listener:
    """Raises OperationalError, Django's or psycopg2's, when the connection is lost; make a new one then, and look at
    everything."""

    def __init__(self, channel: str) -> None:
        self._connection = psycopg2.connect(**connection.get_connection_params())
        self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute(f"SET TIME ZONE 'UTC'; LISTEN \"{channel}\"")

    def fileno(self) -> int:
        return int(self._connection.fileno())

    def wait(self, seconds: float) -> None:
        """Until something has arrived, at most this long. What a query has taken in meanwhile counts."""
        if not self._connection.notifies:
            wait_readable([self.fileno()], seconds)

    def drain(self) -> list[str]:
        """The payloads of all notifications that have arrived; does not wait."""
        with connection.wrap_database_errors:
            self._connection.poll()
        payloads = [notify.payload for notify in self._connection.notifies]
        self._connection.notifies.clear()
        return payloads

    def query(self, sql: str | Prepared, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with connection.wrap_database_errors, self._connection.cursor() as cursor:
            if isinstance(sql, Prepared):
                sql.execute(cursor, parameters)
            else:
                cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def check(self) -> None:
        """Find out whether the connection is still there: a lost one is silent."""
        self.query("SELECT 1")

    def close(self) -> None:
        self._connection.close()
