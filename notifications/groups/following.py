"""Groups follow the captured changes: one statement a batch, in the poller's transaction, and none without a stem.

What is stored of a job is the state it is in, not how often something happened to it: what is seen twice, or again
after a kill, counts once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from notifications.groups.models import LEAST_JOBS, OPEN_STATES, JobGroup, JobState
from notifications.groups.stems import stem_of
from notifications.listening import LIVE_CHANNEL
from preferences.prepared import Prepared
from preferences.wishes import JobKey

GAP_HOURS = 6
"""A group takes further jobs while one of its jobs has not ended, and so long after the last has. Later the same stem
is another sweep."""

MAX_JOBS = 20_000
"""Of one group. What comes in addition begins another one."""

_OPEN = f"({', '.join(str(state.value) for state in OPEN_STATES)})"
_STATES = tuple(JobState)
_NAMES = ", ".join(state.label for state in _STATES)
_SUMS = ", ".join(
    f"COALESCE(sum(n) FILTER (WHERE x = {state.value}), 0) AS {state.label}" for state in _STATES
)
_ADDED = ", ".join(f"{name} = g.{name} + EXCLUDED.{name}" for name in ("jobs", *_NAMES.split(", ")))
_ANSWER = (
    "g.id, g.user_name, g.jobs, g.muted AND COALESCE(g.muted_until > statement_timestamp(), true) AS silent, "
    "g.tell_when_ended AND g.waiting + g.running = 0 AS due"
)

STEM_TYPES = ("int[]", "text[]", "text[]", "text[]", "text[]", "timestamptz[]")
JOB_TYPES = ("int[]", "text[]", "timestamptz[]", "text[]", "int[]")

# `place`: the group of jobs that belong to none yet, one for each stem: the newest if it still takes jobs, else a new
# one. `steps`: how many jobs enter and leave a state. A job that is gone (x null) leaves. So does one whose name was
# submitted again, unless it had ended in an earlier group. Nobody but the poller writes here, so what was read holds.
# Rows are found by lateral subqueries, inserts that conflict, and their place: an index lookup each, whatever the
# planner thinks of the tables' sizes.
_FOLLOW = Prepared(
    "notifcenter_follow_groups",
    [*STEM_TYPES, *JOB_TYPES, "text"],
    f"""
WITH stem AS MATERIALIZED (
    SELECT i, k::uuid, u, v, t, c FROM unnest(%s, %s, %s, %s, %s, %s) AS t(i, k, u, v, t, c)
), seen AS MATERIALIZED (
    SELECT * FROM unnest(%s, %s, %s, %s, %s) AS t(i, f, s, j, x)
), known AS MATERIALIZED (
    SELECT seen.*, m.at, m.g, m.was FROM seen LEFT JOIN LATERAL (
        SELECT ctid AS at, group_id AS g, state AS was FROM notifications_groupjob
        WHERE framework_name = seen.f AND submission_time = seen.s LIMIT 1) AS m ON true
), place AS MATERIALIZED (
    SELECT i, first, COALESCE(newest.number, 0) + 1 AS number,
        CASE WHEN takes THEN newest.id
             ELSE nextval(pg_get_serial_sequence('notifications_jobgroup', 'id')) END AS g
    FROM (SELECT i, min(s) AS first, count(*) AS jobs FROM known WHERE g IS NULL AND i IS NOT NULL GROUP BY i) AS fresh
    JOIN stem USING (i) LEFT JOIN LATERAL (
        SELECT id, number, jobs + fresh.jobs <= {MAX_JOBS} AND (waiting + running > 0
            OR changed_at >= fresh.first - interval '{GAP_HOURS} hours') AS takes
        FROM notifications_jobgroup WHERE key = stem.k ORDER BY number DESC LIMIT 1) AS newest ON true
), placed AS MATERIALIZED (
    SELECT i, f, s, j, x, was, at, COALESCE(known.g, place.g) AS g
    FROM known LEFT JOIN place USING (i) WHERE COALESCE(known.g, place.g) IS NOT NULL
), replaced AS MATERIALIZED (
    SELECT m.* FROM placed AS p CROSS JOIN LATERAL (
        SELECT ctid AS at, group_id AS g, state AS was FROM notifications_groupjob
        WHERE framework_name = p.f AND submission_time < p.s OFFSET 0) AS m
    WHERE p.at IS NULL AND (m.was IN {_OPEN} OR m.g = p.g)
), stored AS (
    INSERT INTO notifications_groupjob (framework_name, submission_time, group_id, job_name, state)
    SELECT f, s, g, COALESCE(j, ''), x FROM placed WHERE x IS DISTINCT FROM was AND x IS NOT NULL
    ON CONFLICT (framework_name, submission_time) DO UPDATE SET state = EXCLUDED.state
), removed AS (
    DELETE FROM notifications_groupjob WHERE ctid = ANY(ARRAY(
        SELECT at FROM placed WHERE x IS NULL UNION ALL SELECT at FROM replaced))
), steps AS (
    SELECT g, i, x, 1 AS n FROM placed WHERE x IS DISTINCT FROM was AND x IS NOT NULL
    UNION ALL SELECT g, i, was, -1 FROM placed WHERE x IS DISTINCT FROM was AND was IS NOT NULL
    UNION ALL SELECT g, NULL, was, -1 FROM replaced
), sums AS MATERIALIZED (
    SELECT g AS id, max(i) AS i, sum(n) AS jobs, {_SUMS} FROM steps GROUP BY g
), changed AS (
    INSERT INTO notifications_jobgroup AS g (id, key, number, user_name, virtual_cluster, stem, started_at, changed_at,
        muted, tell_when_ended, times_told, jobs, {_NAMES})
    SELECT sums.id, COALESCE(k, md5('')::uuid), COALESCE(number, 0), COALESCE(u, ''), COALESCE(v, ''), COALESCE(t, ''),
        COALESCE(first, 'infinity'), GREATEST(c, first, '-infinity'), false, false, 0, jobs, {_NAMES}
    FROM sums LEFT JOIN stem USING (i) LEFT JOIN place ON place.g = sums.id
    ON CONFLICT (id) DO UPDATE SET {_ADDED}, changed_at = GREATEST(g.changed_at, EXCLUDED.changed_at),
        started_at = LEAST(g.started_at, EXCLUDED.started_at)
    RETURNING {_ANSWER}
), shown AS MATERIALIZED (
    SELECT pg_notify(%s, a.id::text)
    FROM (SELECT DISTINCT user_name FROM changed WHERE jobs >= {LEAST_JOBS}) AS owner
    CROSS JOIN LATERAL (SELECT id FROM auth_user WHERE username = owner.user_name LIMIT 1) AS a
)
SELECT every.id, silent, due, array_agg(f), (SELECT count(*) FROM shown)
FROM (SELECT * FROM changed UNION ALL SELECT one.*
      FROM (SELECT g FROM placed EXCEPT SELECT id FROM sums) AS other
      CROSS JOIN LATERAL (SELECT {_ANSWER} FROM notifications_jobgroup AS g WHERE id = other.g LIMIT 1) AS one) AS every
LEFT JOIN placed ON placed.g = every.id
GROUP BY every.id, silent, due
""",  # noqa: S608 - constants only
)

_MEMBERSHIPS = """
SELECT framework_name, submission_time, g.id, muted AND COALESCE(muted_until > statement_timestamp(), true)
FROM unnest(%s::text[], %s::timestamptz[]) AS job(f, s)
JOIN notifications_groupjob ON framework_name = f AND submission_time = s
JOIN notifications_jobgroup AS g ON g.id = group_id
"""

_Stem = tuple[int, datetime | None]
_Row = tuple[int | None, str, datetime, str, int | None]

_TOLD = """
UPDATE notifications_jobgroup SET tell_when_ended = false, times_told = times_told + 1 WHERE id = ANY(%s)
"""


class Sighting(NamedTuple):
    """A job, and the state it is in since `at`; the state is None for a job that is gone. Without a name, what is known
    of the job changes, but no group takes it."""

    framework_name: str
    submission_time: datetime
    state: JobState | None
    username: str = ""
    virtual_cluster: str = ""
    job_name: str = ""
    at: datetime | None = None


class Membership(NamedTuple):
    group_id: int
    muted: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """`memberships`: of the jobs seen that belong to a group. `ended`: groups whose end somebody waits for, counted."""

    memberships: dict[JobKey, Membership] = field(default_factory=dict)
    ended: Collection[JobGroup] = ()


def follow(sightings: Iterable[Sighting]) -> Followed:
    """Store what was seen last of each job. Must run in the poller's transaction."""
    stems: dict[tuple[str, str, str], _Stem] = {}
    rows: dict[str, _Row] = {}
    jobs: dict[str, list[JobKey]] = {}
    for one in sightings:
        of = None
        if one.job_name:
            stem = stem_of(one.job_name)
            if stem is None:
                continue
            name = one.username, one.virtual_cluster, stem
            of, at = stems.get(name, (len(stems), None))
            stems[name] = of, max(at, one.at) if at and one.at else at or one.at
        elif one.state is None and one.framework_name in rows:
            continue
        state = one.state.value if one.state else None
        # Of a name that was submitted again, the last.
        rows[one.framework_name] = of, one.framework_name, one.submission_time, one.job_name, state
        jobs.setdefault(one.framework_name, []).append((one.framework_name, one.submission_time))
    if not rows:
        return Followed()
    with connection.cursor() as cursor:
        _FOLLOW.execute(
            cursor, [*_columns(stems), *map(list, zip(*rows.values(), strict=True)), LIVE_CHANNEL]
        )
        found = cursor.fetchall()
    memberships = {
        job: Membership(group_id, muted)
        for group_id, muted, _, names, _ in found
        for name in names
        for job in jobs.get(name, ())
    }
    return Followed(memberships, _ended([group_id for group_id, _, due, _, _ in found if due]))


def memberships_of(jobs: Collection[JobKey]) -> dict[JobKey, Membership]:
    """Of those of the jobs that belong to a group, as it stands now."""
    if not jobs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERSHIPS, [[name for name, _ in jobs], [submitted for _, submitted in jobs]])
        return {(name, submitted): Membership(*of) for name, submitted, *of in cursor.fetchall()}


def _columns(stems: Mapping[tuple[str, str, str], _Stem]) -> list[list[object]]:
    """Number, key, owner, virtual cluster, stem, and when one of its jobs changed last."""
    rows = [(of, _key(name), *name, at) for name, (of, at) in stems.items()]
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in STEM_TYPES]


def _key(name: tuple[str, str, str]) -> str:
    return hashlib.md5("\0".join(name).encode(errors="replace"), usedforsecurity=False).hexdigest()


def _ended(ids: Collection[int]) -> list[JobGroup]:
    """The wish of each is fulfilled by the caller, once: it is forgotten in the same transaction."""
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, [list(ids)])
    return list(JobGroup.objects.filter(id__in=ids).order_by("id"))
