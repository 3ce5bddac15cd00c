"""/metrics: what was counted, a few bounded looks at the queues, and what this web process knows of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db import connection, transaction
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import (
    Metric as Family,
)
from prometheus_client.registry import Collector

from notifications import counting, health, live
from notifications.counting import JOB_ENDS, JOBS, NAMESPACE, SUM, Histogram, Metric, Row
from notifications.sources.frameworks.counts import ENDINGS
from notifications.sources.frameworks.transitions import STATES

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
TIMEOUT_SECONDS = 5
"""For each query of a scrape."""
MOST_PENDING = 100_000
"""Where counting the changes that wait stops."""

_PENDING = """
SELECT count(*) FROM (
    SELECT FROM notifications_capturedchange UNION ALL SELECT FROM notifications_received WHERE waiting LIMIT %s
) AS few
"""
_OLDEST_UNSENT = f"""
SELECT COALESCE(GREATEST(extract(epoch FROM statement_timestamp() - min(planned_at)), 0), 0)
FROM ({health.OPEN_DELIVERIES}) AS open
"""  # noqa: S608 - constants only


def exposition() -> bytes:
    """In Prometheus' text format. Raises DatabaseError or InterfaceError: half of the truth would look like all."""
    return generate_latest(_REGISTRY)


class _Stored(Collector):
    def collect(self) -> Iterator[Family]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{TIMEOUT_SECONDS}s"])
            rows = counting.stored()
            cursor.execute(_PENDING, [MOST_PENDING])
            pending = cursor.fetchone()[0]
            cursor.execute(_OLDEST_UNSENT, {"channels": health.CHANNELS, "most": health.MOST_LOOKED_AT})
            oldest = cursor.fetchone()[0]
        for metric in counting.COUNTED:
            yield _histogram(metric, rows) if isinstance(metric, Histogram) else _plain(metric, rows)
        yield _gauge(
            "changes_pending",
            f"Changes, captured or received, that wait for the poller, counted up to {MOST_PENDING}.",
            pending,
        )
        yield _gauge(
            "oldest_unsent_seconds",
            "For how long the oldest unsent delivery has been due; 0 without one.",
            oldest,
        )


class _OfThisProcess(Collector):
    def collect(self) -> Iterator[Family]:
        yield _gauge("open_sockets", "Open websockets of this web process.", live.hub.open_sockets)


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", help_text, value=float(value))


def _plain(metric: Metric, rows: Mapping[Row, float]) -> Family:
    values = dict.fromkeys((*metric.values, *_known_jobs(metric, rows)), 0.0)
    values |= {labels: value for (name, labels), value in rows.items() if name == metric.name}
    counter = metric.name.endswith("_total")
    family = (CounterMetricFamily if counter else GaugeMetricFamily)(
        metric.full_name, metric.help, labels=metric.labels
    )
    for labels, value in sorted(values.items()):
        family.add_metric(labels, max(0.0, value))
    return family


def _known_jobs(metric: Metric, rows: Mapping[Row, float]) -> list[tuple[str, ...]]:
    """All label sets of a job metric for the virtual clusters that have any, so that their series begin with 0."""
    before = {JOBS: [(state,) for state in STATES], JOB_ENDS: ENDINGS}.get(metric, [])
    clusters = {labels[-1] for name, labels in rows if name in (JOBS.name, JOB_ENDS.name)}
    return [(*labels, cluster) for labels in before for cluster in clusters]


def _histogram(histogram: Histogram, rows: Mapping[Row, float]) -> Family:
    family = HistogramMetricFamily(histogram.full_name, histogram.help)
    below, buckets = 0.0, []
    for end in histogram.upper_ends:
        below += rows.get((histogram.name, (end,)), 0)
        buckets.append((end, below))
    family.add_metric([], buckets, rows.get((histogram.name, (SUM,)), 0.0))
    return family


# A second series for each histogram, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the one function that the library left untyped
_REGISTRY = CollectorRegistry()
for _collector in (_Stored(), _OfThisProcess(), live.CHANGE_TO_FRAME):
    _REGISTRY.register(_collector)
