"""Figures that are counted where things happen, in the same transaction, and kept in one small table.

A kill thus neither loses nor doubles a count, and a scrape reads a few hundred rows instead of the cluster's table.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from preferences.kinds import Channel, Event
from preferences.prepared import Message, Prepared

NAMESPACE = "notifcenter"


@dataclass(frozen=True, slots=True)
class Metric:
    """`values`: label sets that are shown from the start, as 0, so that the first increase is seen as one."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()

    @property
    def full_name(self) -> str:
        return f"{NAMESPACE}_{self.name}"


@dataclass(frozen=True, slots=True)
class Histogram(Metric):
    """`bounds`: the upper ends of its buckets, ascending, in seconds."""

    bounds: tuple[float, ...] = ()

    @property
    def upper_ends(self) -> tuple[str, ...]:
        """The labels of its buckets, ascending."""
        return (*(str(float(bound)) for bound in self.bounds), INFINITE)


SENT, RETRY, FAILED, DROPPED = OUTCOMES = ("sent", "retry", "failed", "dropped")
REACTION_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400

JOBS = Metric("jobs", "Jobs in the cluster's table.", ("state", "virtual_cluster"))
JOB_ENDS = Metric(
    "job_ends_total",
    "Jobs that have come to an end, by who caused it.",
    ("state", "causer", "virtual_cluster"),
)
JOB_WAITING = Histogram(
    "job_waiting_seconds",
    "How long jobs waited, from submission to their first start.",
    bounds=(
        1, 5, 15, _MINUTE, 5 * _MINUTE, 15 * _MINUTE,
        _HOUR, 4 * _HOUR, 12 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY,
    ),
)  # fmt: skip
CHANGE_TO_COMMIT = Histogram(
    "change_to_commit_seconds",
    "From a captured change until what is told of it was written; the commit follows at once.",
    bounds=REACTION_SECONDS,
)
POLL = Histogram(
    "poll_seconds",
    "How long the poller took over a batch; polls with nothing due are not counted.",
    bounds=REACTION_SECONDS,
)
NOTIFICATIONS = Metric(
    "notifications_total", "Notifications stored.", ("event",), tuple((event.value,) for event in Event)
)
DELIVERIES = Metric(
    "deliveries_total",
    "Attempts to send a notification through a channel.",
    ("channel", "outcome"),
    tuple(
        (channel.value, outcome)
        for channel in Channel
        if channel != Channel.WEBPORTAL
        for outcome in OUTCOMES
    ),
)
COUNTED = (JOBS, JOB_ENDS, JOB_WAITING, CHANGE_TO_COMMIT, POLL, NOTIFICATIONS, DELIVERIES)

SUM = "sum"
INFINITE = "+Inf"
"""Labels of a histogram's rows: the upper end of a bucket (each counted on its own), INFINITE, or SUM."""

SHARDS = 16
"""Workers settle deliveries at the same time, each in its own transaction. A row that all of them add to would put
their commits in line, so a session adds to one of several rows, and whoever reads adds these up. What the poller
counts has one writer and one row."""

_STORE = Prepared(
    "notifcenter_store",
    ["json"],
    """
INSERT INTO notifications_metricvalue AS m (name, labels, shard, value)
SELECT n, l, 0, v FROM json_to_recordset(%s) AS t(n text, l text[], v float8)
ON CONFLICT (name, labels, shard) DO UPDATE SET value = m.value + EXCLUDED.value
""",
)

COUNT_SETTLED = """
INSERT INTO notifications_metricvalue AS m (name, labels, shard, value)
SELECT %(metric)s, ARRAY[channel, %(outcome)s], pg_backend_pid() %% %(shards)s, %(by)s FROM settled
ON CONFLICT (name, labels, shard) DO UPDATE SET value = m.value + EXCLUDED.value
"""
"""For a statement in which `settled` has the channel of a delivery; with the parameters of `settled`."""

_COUNT_DELIVERY = (
    "WITH settled AS (SELECT channel FROM notifications_delivery WHERE id = %(id)s)"  # noqa: S608 - constants
    + COUNT_SETTLED
)

Row = tuple[str, tuple[str, ...]]
"""A metric's name and the values of its labels."""


class Tally:
    """What one batch adds; stored with it by one statement, whatever its size."""

    def __init__(self) -> None:
        self._increments: defaultdict[Row, float] = defaultdict(float)

    def add(self, metric: Metric, *labels: str, by: float = 1) -> None:
        self._increments[metric.name, labels] += by

    def observe(self, histogram: Histogram, seconds: Iterable[float]) -> None:
        values = [max(0.0, value) for value in seconds]  # the cluster's clock and ours differ a little
        places = Counter(bisect_left(histogram.bounds, value) for value in values)
        ends = histogram.upper_ends
        for place, count in places.items():
            self.add(histogram, ends[place], by=count)
        self.add(histogram, SUM, by=sum(values))

    def store(self) -> None:
        """Must run in the transaction of what was counted."""
        message = Message()
        self.store_with(message)
        message.send()

    def store_with(self, message: Message) -> None:
        """`store`, when the message is sent."""
        rows = [{"n": name, "l": labels, "v": value} for (name, labels), value in self._increments.items()]
        if rows:
            message.add(_STORE, [json.dumps(rows)])


def count_delivery(delivery_id: int, outcome: str, *, by: int = 1) -> None:
    """Must run in the transaction that settles the delivery, last, because it locks a row until the commit.

    `by` is more than one for a delivery and those that share its fate.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_DELIVERY, {"id": delivery_id, **settled(outcome, by=by)})


def settled(outcome: str, *, by: int = 1) -> dict[str, str | int]:
    """The parameters of COUNT_SETTLED."""
    return {"metric": DELIVERIES.name, "outcome": outcome, "shards": SHARDS, "by": by}


def replace(metric: Metric, values: dict[tuple[str, ...], float]) -> None:
    """Set all values of a metric that was counted anew."""
    tally = Tally()
    for labels, value in values.items():
        tally.add(metric, *labels, by=value)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_metricvalue WHERE name = %s", [metric.name])
    tally.store()


def stored() -> dict[Row, float]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, labels, sum(value) FROM notifications_metricvalue GROUP BY name, labels")
        return {(name, tuple(labels)): value for name, labels, value in cursor.fetchall()}
