"""A cluster that lives by itself: who submits what is drawn, and every job lives its life to the end."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db.backends.base.base import BaseDatabaseWrapper

from notifications.sources.frameworks.demo import lives, workload
from notifications.sources.frameworks.demo.adoption import adopted
from notifications.sources.frameworks.demo.cluster import Cluster
from notifications.sources.frameworks.demo.jobs import Job, Request
from notifications.sources.frameworks.demo.lives import Life
from notifications.stopping import Stop

DEFAULT_USERS = ("alice", "bob", "carol", "dave")
KEPT_ROWS = 5_000
PRUNE_EVERY_JOBS = 250
SWEEP_SHARE = 0.02
"""How often somebody submits a sweep instead of one job."""


class Simulation(Cluster):
    """Goes on whenever `tick` is called. The same seed gives the same jobs with the same lives."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        seed: int | None = None,
        *,
        users: Sequence[str] = DEFAULT_USERS,
        stop: Stop | None = None,
    ) -> None:
        super().__init__(connection, seed, stop=stop)
        self.users = users
        self._active: set[str] = set()
        self._agenda: list[tuple[datetime, int, Job, Iterator[float]]] = []
        self._order = itertools.count()
        self._sweep: list[tuple[Request, Life]] = []

    def adopt(self, now: datetime) -> int:
        """Go on with the jobs that an earlier simulation left behind unfinished. How many there were."""
        jobs = adopted(self.rows.unfinished())
        for job in jobs:
            self._begin(job, lives.bring_to_an_end(self, job), now)
        return len(jobs)

    def submit_any(self, now: datetime) -> Job:
        """Somebody submits something, which then lives its life by `tick`."""
        if not self._sweep and self.random.random() < SWEEP_SHARE:
            self._sweep = workload.draw_sweep(self.random, self.users, self._active)
        request, life = (
            self._sweep.pop(0) if self._sweep else workload.draw(self.random, self.users, self._active)
        )
        self._playing_at = now
        try:
            self.rows.delete(request.framework_name)  # an old job of that name, of an earlier run
            job = self.submit(request)
        finally:
            self._playing_at = None
        self._begin(job, life(self, job), now)
        if self.submitted % PRUNE_EVERY_JOBS == 0:
            self.rows.prune(KEPT_ROWS)
        return job

    def tick(self, now: datetime) -> datetime | None:
        """Do everything that is due. Returns when there is something to do again; None: all have ended."""
        while self._agenda and self._agenda[0][0] <= now:
            due, _, job, life = heapq.heappop(self._agenda)
            self._playing_at = due
            try:
                self._advance(job, life, due)
            finally:
                self._playing_at = None
        return self._agenda[0][0] if self._agenda else None

    def _begin(self, job: Job, life: Iterator[float], now: datetime) -> None:
        self._active.add(job.name)
        self._advance(job, life, now)

    def _advance(self, job: Job, life: Iterator[float], now: datetime) -> None:
        pause = next(life, None)
        if pause is None:
            self._active.discard(job.name)
        else:
            due = now + timedelta(seconds=pause)
            heapq.heappush(self._agenda, (due, next(self._order), job, life))
