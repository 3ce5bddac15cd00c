"""What the metrics say of jobs, kept up from captured changes and set right by the reconciling scan.

Exact as long as every change is captured: the scan counts the table as it is, less what the queue still holds. A row
that is deleted stays counted until the next scan, because nothing captures a deletion.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from django.db import connection, transaction

from notifications import counting
from notifications.counting import JOB_ENDS, JOB_WAITING, JOBS, Tally
from notifications.sources.frameworks.changes import TakenChange
from notifications.sources.frameworks.diagnosis import Diagnosis
from notifications.sources.frameworks.exit_codes import Causer
from notifications.sources.frameworks.reconcile import ALLOW_SCAN
from notifications.sources.frameworks.transitions import ENDS, STATES, UNKNOWN, first_start

MAX_VIRTUAL_CLUSTERS = 100
MAX_LABEL_CHARACTERS = 64
OTHER = "other"
"""All virtual clusters beyond the first MAX_VIRTUAL_CLUSTERS."""
NAMELESS = "unknown"

NOBODY = "none"
UNKNOWN_CAUSER = "unknown"
CAUSERS = (*(causer.value for causer in Causer), UNKNOWN_CAUSER)
ENDINGS = (("SUCCEEDED", NOBODY), *((state, causer) for state in ("FAILED", "STOPPED") for causer in CAUSERS))
"""All pairs of state and causer with which a job can end."""

MAX_SCANNED_NAMES = 1000
"""Names of virtual clusters that a scan hands out; the rarer ones come as one."""

# One statement, so that the table and the queue are seen at the same moment.
_SCAN = f"""
WITH queued AS (
    SELECT f."virtualCluster" AS name, c.old_state, c.new_state
    FROM notifications_capturedchange c JOIN frameworks f ON f.name = c.framework_name
        AND f."submissionTime" IS NOT DISTINCT FROM c.submission_time
    WHERE NOT c.counted
), moves AS (
    SELECT state, "virtualCluster" AS name, 1 AS jobs, 1 AS present FROM frameworks
    UNION ALL SELECT new_state, name, -1, 0 FROM queued
    UNION ALL SELECT old_state, name, 1, 0 FROM queued WHERE old_state IS NOT NULL
), counted AS (
    SELECT CASE WHEN state = ANY(%(states)s) THEN state ELSE '{UNKNOWN}' END AS state, name, sum(jobs) AS jobs,
        sum(sum(present)) OVER (PARTITION BY name) AS present
    FROM moves GROUP BY 1, 2
), ranked AS (
    SELECT state, name, jobs, dense_rank() OVER (ORDER BY present DESC, name) AS place FROM counted
)
SELECT LEAST(place, %(most)s + 1) AS place, CASE WHEN place <= %(most)s THEN name END, state, sum(jobs)::bigint
FROM ranked GROUP BY 1, 2, 3 ORDER BY 1
"""  # noqa: S608 - constants only


class VirtualClusters:
    """Labels for the names of virtual clusters: clean, short, and never more than MAX_VIRTUAL_CLUSTERS and OTHER."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = set(known)

    def label(self, name: str | None) -> str:
        label = _clean(name or "")
        if label in self._known:
            return label
        if len(self._known) >= MAX_VIRTUAL_CLUSTERS:
            return OTHER
        self._known.add(label)
        return label


class JobCounts:
    """The poller's own: it remembers which names have a label."""

    def __init__(self) -> None:
        self._clusters: VirtualClusters | None = None

    def count(
        self, changes: Iterable[TakenChange], diagnosis: Callable[[TakenChange], Diagnosis], tally: Tally
    ) -> None:
        """Add what these changes mean. Digestible or not: they took place on the cluster."""
        if self._clusters is None:
            self._clusters = VirtualClusters(_labels_given())
        moves: Counter[tuple[str | None, str | None, str]] = Counter()
        waits: list[float] = []
        for one in changes:
            change, cluster = one.change, self._clusters.label(one.row.virtual_cluster)
            if one.row.present:
                moves[change.old_state, change.new_state, cluster] += 1
            if change.new_state in ENDS and change.new_state != change.old_state:
                tally.add(
                    JOB_ENDS, change.new_state, _causer(change.new_state, partial(diagnosis, one)), cluster
                )
            if started_at := first_start(change, partial(diagnosis, one)):
                waits.append((started_at - change.submission_time).total_seconds())
        for (old, new, cluster), jobs in moves.items():
            _move(old, new, cluster, jobs, tally)
        if waits:
            tally.observe(JOB_WAITING, waits)

    def count_anew(self) -> None:
        """Set the jobs by state from the table."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ALLOW_SCAN)
            cursor.execute(_SCAN, {"states": list(STATES), "most": MAX_SCANNED_NAMES})
            rows = cursor.fetchall()
            clusters = VirtualClusters(_labels_given())
            jobs: defaultdict[tuple[str, ...], float] = defaultdict(float)
            for place, name, state, count in rows:
                label = OTHER if place > MAX_SCANNED_NAMES else clusters.label(name)
                jobs[state, label] += count
            counting.replace(JOBS, jobs)
            # What was put aside is in the table that was counted just now.
            cursor.execute("UPDATE notifications_failedchange SET counted = true WHERE NOT counted")
        self._clusters = clusters


def _move(old: str | None, new: str | None, cluster: str, jobs: int, tally: Tally) -> None:
    """They leave the count of their old state, if they had one, for that of their new one."""
    tally.add(JOBS, _state(new), cluster, by=jobs)
    if old is not None:
        tally.add(JOBS, _state(old), cluster, by=-jobs)


def _state(state: str | None) -> str:
    return state if state in STATES else UNKNOWN


def _causer(state: str, diagnosis: Callable[[], Diagnosis]) -> str:
    if state == "SUCCEEDED":
        return NOBODY
    causer = diagnosis().details.get("causer")
    return causer if causer in CAUSERS else UNKNOWN_CAUSER


def _clean(name: str) -> str:
    if not name.isprintable():
        name = "".join(character for character in name if character.isprintable())
    return name[:MAX_LABEL_CHARACTERS] or NAMELESS


def _labels_given() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT labels[cardinality(labels)] FROM notifications_metricvalue WHERE name = ANY(%s)",
            [[JOBS.name, JOB_ENDS.name]],
        )
        return {label for (label,) in cursor.fetchall()} - {OTHER}
