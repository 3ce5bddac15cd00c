"""What a cluster did in a run with kills, what should have come of it, and what came."""

from __future__ import annotations

import random
import threading
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from notifications.models import Notification
from tests.cluster import ALL_EVENTS, columns, framework_name, submit, update
from tests.database import sql

LIFE: list[dict[str, Any]] = [
    {"state": "RUNNING"},
    {"state": "WAITING", "retries": 1},
    {"retries": 3},
    {"state": "SUCCEEDED"},
]
CHANGES_OF_A_LIFE = 1 + len(LIFE)
TOLD = [("running", 0), ("retried", 1), ("retried", 3), ("succeeded", 0)]

WRITERS = 4
LIVES_AT_ONCE = 25
"""Of one writer; their changes are interleaved."""
LONGEST_PAUSE_SECONDS = 0.03
"""After a transaction; less on average than a change takes to be told."""

DATABASE_AWAY_SECONDS = 0.2
AWAY = (OperationalError, InterfaceError)
_never = threading.Event()

Job = tuple[str, str]
"""Its name and its owner's."""


class Cluster:
    """Several writers, each with jobs and a connection of its own; writes only as much as it is told to."""

    def __init__(self, jobs: Sequence[Job], *, seed: int) -> None:
        self._jobs, self._seed = jobs, seed
        self._changes_allowed = threading.Semaphore(0)
        sql("CREATE TABLE IF NOT EXISTS chaos_committed (mark text PRIMARY KEY)")

    def write(self, changes: int) -> None:
        self._changes_allowed.release(changes)

    def run(self, writer: int) -> None:
        dice = random.Random(self._seed + writer)
        to_come = (_life(job) for job in self._jobs[writer::WRITERS])
        lives = list(islice(to_come, LIVES_AT_ONCE))
        try:
            while lives:
                together = [
                    _next_change(dice, lives, to_come) for _ in range(1 if dice.random() < 0.9 else 3)
                ]
                changes = [change for change in together if change]
                for _ in changes:
                    self._changes_allowed.acquire()
                _commit(changes)
                _never.wait(dice.random() * LONGEST_PAUSE_SECONDS)
        finally:
            connection.close()


Change = Callable[[], object]


def _commit(changes: Sequence[Change]) -> None:
    """Once, also when the database goes away in the middle: a row of the same transaction tells whether it counts.

    (Its number would not: after a crash PostgreSQL gives it to another.)
    """
    mark = str(uuid.uuid4())
    while True:
        try:
            with transaction.atomic():
                # Waits for a first try that is still about to commit.
                if sql("INSERT INTO chaos_committed VALUES (%s) ON CONFLICT DO NOTHING RETURNING true", mark):
                    for change in changes:
                        change()
            return
        except AWAY:
            connection.close()
            _never.wait(DATABASE_AWAY_SECONDS)


def _life(job: Job) -> deque[Change]:
    submitted = partial(submit, *job, **ALL_EVENTS)
    return deque([submitted, *(partial(update, framework_name(*job), **step) for step in LIFE)])


def _next_change(
    dice: random.Random, lives: list[deque[Change]], to_come: Iterator[deque[Change]]
) -> Change | None:
    """One change of one of the lives; a life that ends makes room for the next."""
    if not lives:
        return None
    life = dice.choice(lives)
    change = life.popleft()
    if not life:
        lives.remove(life)
        lives.extend(islice(to_come, 1))
    return change


def marks_wrong(jobs: Sequence[Job]) -> list[Job]:
    """The jobs whose row does not say what was told."""
    marks = ("notifiedAtRunning", "notifiedAtRetried", "notifiedAtSucceeded")
    return [job for job in jobs if columns(framework_name(*job), *marks) != (True, 3, True)]


@dataclass(frozen=True)
class Told:
    """What the jobs' owners were told, against what they should have been told."""

    expected: int
    lost: int
    too_much: int
    out_of_order: int

    @classmethod
    def of(cls, jobs: Sequence[Job]) -> Told:
        told = defaultdict(list)
        rows = Notification.objects.order_by("id").values_list("framework_name", "event", "ordinal")
        for name, event, ordinal in rows:
            told[name].append((event, ordinal))
        each = [told.pop(framework_name(*job), []) for job in jobs]
        expected = Counter(TOLD)
        return cls(
            expected=len(jobs) * len(TOLD),
            lost=sum((expected - Counter(one)).total() for one in each),
            too_much=sum((Counter(one) - expected).total() for one in each) + sum(map(len, told.values())),
            out_of_order=sum(Counter(one) == expected and one != TOLD for one in each),
        )
