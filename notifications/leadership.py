"""What the poller that works says of itself, and how it begins."""

from __future__ import annotations

import os
import socket

from django.db import connection, transaction

MOST_IDS_A_SECOND = 50_000
"""More than any poller gives out."""

_SIGN_OF_LIFE = "UPDATE notifications_pollerstate SET heartbeat_at = now(), leader = %s"

_SKIP = """
SELECT setval(s, nextval(s) + ceil(seconds * %s)::bigint)
  FROM (SELECT extract(epoch FROM clock_timestamp() - heartbeat_at) AS seconds FROM notifications_pollerstate) gap,
       unnest(%s) AS t(name), pg_get_serial_sequence(name, 'id') AS s
 WHERE seconds > 0
"""
_TABLES = ["notifications_notification", "notifications_delivery", "notifications_jobgroup"]


def begin() -> None:
    """Skip all ids that may have been given out since the last sign of life.

    A restored backup, and a standby that has taken over too early, do not know of them; but open pages have seen them,
    and so have mails with a link, and clients that ask for what is newer.
    """
    with transaction.atomic():  # or a poller that fails in between, again and again, would skip ever more
        with connection.cursor() as cursor:
            cursor.execute(_SKIP, [MOST_IDS_A_SECOND, _TABLES])
        give_sign_of_life()


def give_sign_of_life() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SIGN_OF_LIFE, [f"{socket.gethostname()}:{os.getpid()}"])
