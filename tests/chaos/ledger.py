"""What a cluster did in a run with kills, what should have come of it, and what came."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from django.db import connection, transaction

from notifications.models import Notification
from notifications.sources.frameworks import names
from tests.cluster import ALL_EVENTS, columns, framework_name, submit, update
from tests.processes import Process, wait_for

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

Job = tuple[str, str]
"""Its name and its owner's."""


class Cluster:
    """Several writers, each with jobs and a connection of its own; writes only as much as it is told to."""

    def __init__(self, jobs: Sequence[Job], *, seed: int) -> None:
        self._jobs, self._seed = jobs, seed
        self._changes_allowed = threading.Semaphore(0)
        self._never = threading.Event()

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
                with transaction.atomic():
                    for change in changes:
                        change()
                self._never.wait(dice.random() * LONGEST_PAUSE_SECONDS)
        finally:
            connection.close()


Change = Callable[[], object]


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


class Pollers:
    """One at work and one standing by; a killed one is replaced at once."""

    def __init__(self, start: Callable[[int], Process]) -> None:
        """`start` gets the number of the poller that it is to start."""
        self._start = start
        self._never = threading.Event()
        self._alive = [start(1), start(2)]
        self._started = 2

    def wait_for_one_at_work(self) -> Process:
        def at_work() -> list[Process]:
            return [one for one in self._alive if "polling" in one.log]

        return wait_for(at_work, what="a poller is at work")[0]

    def kill(self, *, after_seconds: float) -> None:
        victim = self.wait_for_one_at_work()
        self._never.wait(after_seconds)
        self._replace(victim)

    def kill_in_a_batch(self, *, seconds: float) -> bool:
        """Whether there was a batch to cut off within so many seconds; killed it is in any case."""
        victim, deadline = self.wait_for_one_at_work(), time.monotonic() + seconds
        while not (hit := in_the_middle_of_a_batch()) and time.monotonic() < deadline:
            self._never.wait(0.001)
        self._replace(victim)
        return hit

    def _replace(self, victim: Process) -> None:
        victim.kill()
        self._alive.remove(victim)
        self._started += 1
        self._alive.append(self._start(self._started))

    def ended(self) -> list[str]:
        """The logs of those that have ended by themselves."""
        return [one.log for one in self._alive if one.popen.poll() is not None]


def in_the_middle_of_a_batch() -> bool:
    """Whether the poller at work has written something that is not yet committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity a JOIN pg_locks l USING (pid) "
            "WHERE l.granted AND l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s "
            "AND a.backend_xid IS NOT NULL)",
            [names.LOCK_SPACE, names.LEADER_LOCK],
        )
        return bool(cursor.fetchone()[0])


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
