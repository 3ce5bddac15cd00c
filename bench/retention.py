"""How fast old notifications are removed from a large table, and what the poller's commits notice of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from bench.database import Line, connect, execute, quantile, reset

ROWS = 1_000_000
SECONDS = 30.0
DAYS = 180

FILL = """
WITH told AS (
    INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
        virtual_cluster, details, occurred_at, created_at, in_inbox, read_at)
    SELECT (SELECT min(id) FROM auth_user) + n %% 20, 'failed', 0, md5(n::text), at, 'resnet50-' || n, 'default',
           '{"exit_code": 1, "phrase": "ContainerFailed", "reason": "The container ended with exit code 1."}', at, at,
           true, at
      FROM generate_series(1, %s) n
     CROSS JOIN LATERAL (SELECT now() - interval '1 year' + n * interval '10 seconds' AS at) t
    RETURNING id, created_at)
INSERT INTO notifications_delivery (notification_id, channel, state, attempts, last_error, created_at, sent_at)
SELECT id, 'email', 'sent', 1, '', created_at, created_at FROM told
"""
# As large as a batch of the poller in a quiet cluster, and with its commit.
COMMIT = """
INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
    virtual_cluster, details, occurred_at, in_inbox)
VALUES ((SELECT min(id) FROM auth_user), 'failed', 0, %s, now(), 'job', 'default', '{}', now(), true)
"""


def run() -> Iterator[Line]:
    from notifications import retention

    reset(100_000, snapshot_bytes=32, state="SUCCEEDED", asking=False)
    execute(FILL, [ROWS])
    execute("VACUUM ANALYZE")
    alone = _commits(lambda: time.sleep(5))
    done = retention.Pruned()
    started = time.monotonic()

    def remove() -> None:
        nonlocal done
        done = retention.prune(days=DAYS, wait=threading.Event().wait, seconds=SECONDS)

    beside = _commits(remove)
    took = time.monotonic() - started
    rate = done.notifications / took
    yield Line(
        f"old notifications removed, each with a delivery, of {ROWS:,}",
        f"{rate:,.0f}/s",
        "",
        None,
        "≥ 500/s",
        rate >= 500,
    )
    for share in (0.5, 0.99):
        ours, floor = quantile(beside, share) * 1000, quantile(alone, share) * 1000
        yield Line(
            f"a commit beside it, p{share * 100:.0f}", f"{ours:.1f} ms", f"{floor:.1f} ms", ours / floor
        )


def _commits(beside: object) -> list[float]:
    """How long commits of one new notification take while `beside` is at work, in seconds."""
    assert callable(beside)
    other = threading.Thread(target=beside)
    session = connect()
    found, number = [], 0
    other.start()
    while other.is_alive():
        number += 1
        started = time.monotonic()
        with session, session.cursor() as cursor:
            cursor.execute(COMMIT, [f"new-{started}-{number}"])
        found.append(time.monotonic() - started)
        time.sleep(0.005)
    session.close()
    return found
