"""The poller's database session, set up for its batches."""

from __future__ import annotations

from django.db import connection

# A batch looks up few rows by key: fresh or stale statistics must not turn that into a scan of a whole table.
# A poller that freezes, or whose machine is gone, must not keep the cluster's rows or the leader's lock.
SETTINGS = """
SET jit = off; SET enable_seqscan = off; SET random_page_cost = 1.1; SET plan_cache_mode = force_generic_plan;
SET statement_timeout = 0; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '5s';
SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '4s'
"""


def prepare() -> None:
    """Once per connection."""
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
