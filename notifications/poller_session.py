"""The poller's database session and process, set up for its batches."""

from __future__ import annotations

import gc

from django.db import connection

# A batch looks up few rows by key: fresh or stale statistics must not turn that into a scan of a whole table.
# A poller that freezes, or whose machine is gone, must not keep the cluster's rows or the leader's lock.
SETTINGS = """
SET jit = off; SET enable_seqscan = off; SET random_page_cost = 1.1; SET plan_cache_mode = force_generic_plan;
SET statement_timeout = 0; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '5s';
SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '4s'
"""

YOUNG_OBJECTS = 50_000
"""How many new objects the garbage collector waits for: a large batch makes that many, and frees them itself."""


def prepare() -> None:
    """Set the database session up, once per connection; keep the collector off what was imported.

    A batch makes thousands of small objects; looking at all of Django for each of them costs a third of the time.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
