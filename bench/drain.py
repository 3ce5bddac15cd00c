"""Drain captured changes into notifications, deliveries and marks; the floor writes the same rows by plain SQL."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.database import Line, connect, execute, median, reset

CHANGES = 20_000
BATCH = 1000
ROUNDS = 3
JOBS = CHANGES * ROUNDS * 2
"""Every drain has jobs of its own, among all those of a busy cluster."""
TARGET = 0.5

FLOOR = """
WITH batch AS (DELETE FROM notifications_capturedchange WHERE id IN
        (SELECT id FROM notifications_capturedchange ORDER BY id LIMIT %s) RETURNING *),
new AS (INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
        virtual_cluster, details, occurred_at, in_inbox)
    SELECT u.id, 'running', 0, b.framework_name, b.submission_time, f."jobName", f."virtualCluster", '{}',
        b.changed_at, true
    FROM batch b JOIN frameworks f ON f.name = b.framework_name JOIN auth_user u ON u.username = b.user_name
    RETURNING id, framework_name),
mail AS (INSERT INTO notifications_delivery (notification_id, channel, state, attempts, last_error)
    SELECT id, 'email', 'pending', 0, '' FROM new)
UPDATE frameworks f SET "notifiedAtRunning" = true FROM new WHERE f.name = new.framework_name
"""


def run() -> Iterator[Line]:
    for sweeps in (False, True):
        reset(JOBS, sweeps=sweeps)
        ours, floor = [], []
        for number in range(ROUNDS):
            floor.append(CHANGES / _floor(2 * number))
            ours.append(CHANGES / _ours(2 * number + 1))
        ratio = median(ours) / median(floor)
        yield Line(
            "… all of sweeps, whose counts follow"
            if sweeps
            else f"drain of {CHANGES:,} captured changes, {JOBS:,} jobs",
            f"{median(ours):,.0f} events/s",
            f"{median(floor):,.0f} events/s",
            ratio,
            "" if sweeps else f"≥ {TARGET} ×",
            sweeps or ratio >= TARGET,
        )


def _capture(part: int) -> None:
    """Changes of CHANGES jobs that nobody has touched yet, and empty tables behind them."""
    execute("TRUNCATE notifications_notification CASCADE")
    first = part * CHANGES
    execute(
        "UPDATE frameworks SET state = 'RUNNING' WHERE name IN "
        "(SELECT md5(n::text) FROM generate_series(%s, %s) n)",
        [first + 1, first + CHANGES],
    )
    execute("VACUUM ANALYZE")
    execute("CHECKPOINT")


def _floor(part: int) -> float:
    _capture(part)
    connection = connect()
    start = time.perf_counter()
    with connection.cursor() as cursor:
        while True:
            cursor.execute(FLOOR, [BATCH])
            connection.commit()
            if not cursor.rowcount:
                break
    seconds = time.perf_counter() - start
    connection.close()
    return seconds


def _ours(part: int) -> float:
    from notifications import poller_session
    from notifications.garbage import collect_rarely
    from notifications.models import Delivery, Notification
    from notifications.poller import Poller

    _capture(part)
    poller = Poller()
    collect_rarely()
    poller_session.prepare()
    start = time.perf_counter()
    while poller.run_once():
        pass
    seconds = time.perf_counter() - start
    assert Notification.objects.count() == Delivery.objects.count() == CHANGES
    return seconds
