"""A site of which there are two of everything; whatever is killed is started again at once."""

from __future__ import annotations

import random
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from django.db import connection

from notifications.models import Delivery, DeliveryState
from notifications.sources.frameworks import names
from tests.chaos.mail_server import MailServer
from tests.processes import Process, answers, environment, free_port, manage, running, wait_for

LEASE_SECONDS = 4
MOST_MAILS_BEFORE_A_KILL = 15
MOST_SECONDS_BEFORE_A_KILL = 3.0
POOL_THREADS = 5
"""Of a worker: those that Celery's pool has, and the one that sweeps."""
POLLER, WEB, SENDER = KILLED = ("poller", "web process", "worker")
WORKER = [sys.executable, "-m", "tests.chaos.worker"]

_LATE = re.compile(r"sent after its lease ran out delivery=([0-9]+)")

_never = threading.Event()


def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether it has come true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        _never.wait(0.001)
    return met


class Pair:
    """Two processes of one kind. `start` gets which of the two it is to start, and how often anything was started."""

    def __init__(
        self, start: Callable[[int, int], Process], is_ready: Callable[[int, Process], bool]
    ) -> None:
        self._start, self._is_ready = start, is_ready
        self._started = 0
        self.alive = [self._next(0), self._next(1)]

    def _next(self, which: int) -> Process:
        self._started += 1
        return self._start(which, self._started)

    def ready(self) -> list[int]:
        return [which for which, one in enumerate(self.alive) if self._is_ready(which, one)]

    def wait_for_one(self, dice: random.Random | None = None) -> int:
        """One that can do its work; a poller can when it is the one at work."""
        found = wait_for(self.ready, seconds=60, what="a process is ready")
        return dice.choice(found) if dice else found[0]

    def kill(self, which: int) -> None:
        self.alive[which].kill()
        self.alive[which] = self._next(which)

    def ended(self) -> list[str]:
        """The logs of those that have ended by themselves."""
        return [one.log for one in self.alive if one.popen.poll() is not None]


class Pollers(Pair):
    """One at work and one standing by."""

    def __init__(self, start: Callable[[int, int], Process]) -> None:
        super().__init__(start, lambda _, one: "polling" in one.log)

    def kill_one(self, *, after_seconds: float) -> None:
        victim = self.wait_for_one()
        _never.wait(after_seconds)
        self.kill(victim)

    def kill_in_a_batch(self, *, seconds: float) -> bool:
        """Whether there was a batch to cut off within so many seconds; killed it is in any case."""
        victim = self.wait_for_one()
        hit = until(in_the_middle_of_a_batch, seconds=seconds)
        self.kill(victim)
        return hit


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


def leased() -> set[int]:
    """Ids of what some worker holds."""
    return set(Delivery.objects.filter(state=DeliveryState.LEASED).values_list("id", flat=True))


class Site:
    """Pollers, workers and web processes, all on the test database; `kills` by what was killed."""

    def __init__(self, stack: ExitStack, folder: Path, server: MailServer, **env: str) -> None:
        self._stack, self._folder, self._server = stack, folder, server
        self._environment = environment(
            **{
                "NOTIFCENTER_DATA_DIR": str(folder),
                "NOTIFCENTER_LEASE_SECONDS": str(LEASE_SECONDS),
                "NOTIFCENTER_SWEEP_SECONDS": "1",
                "EMAIL_URL": server.url,
                **env,
            }
        )
        self.kills: Counter[str] = Counter()
        self.in_flight: Counter[int] = Counter()
        """How often a delivery was held by a worker when it, or another, or the database was killed."""
        self.cut_off = 0
        """How often a worker was kept from noting what it had sent."""
        self.ports = [free_port(), free_port()]
        self.pollers = Pollers(lambda _, number: self._run(f"poller-{number}", manage("poll_frameworks")))
        self.workers = Pair(
            lambda _, number: self._run(f"worker-{number}", WORKER), lambda _, one: "ready." in one.log
        )
        self.webs = Pair(self._web, lambda which, _: answers(self.ports[which]))

    def _web(self, which: int, number: int) -> Process:
        port = str(self.ports[which])
        arguments = ["-m", "daphne", "-b", "127.0.0.1", "-p", port, "notifcenter.asgi:application"]
        return self._run(f"web-{number}", [sys.executable, *arguments])

    def _run(self, name: str, arguments: list[str]) -> Process:
        process = running(arguments, self._folder / f"{name}.log", self._environment)
        return self._stack.enter_context(process)

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def kill_poller(self, dice: random.Random) -> None:
        """The one at work: at any moment, or in the middle of the next batch."""
        if dice.random() < 0.5:
            hit = self.pollers.kill_in_a_batch(seconds=2)
        else:
            hit = False
            self.pollers.kill_one(after_seconds=dice.random())
        self.kills[f"{POLLER}, in a batch" if hit else POLLER] += 1

    def kill_pollers(self, dice: random.Random) -> None:
        """Both at once: nobody is left to take over."""
        self.pollers.wait_for_one(dice)
        for which in (0, 1):
            self.pollers.kill(which)
            self.kills[POLLER] += 1

    def wait_for_mails(self, dice: random.Random) -> None:
        """A few, if there are any."""
        moment = len(self._server) + dice.randint(1, MOST_MAILS_BEFORE_A_KILL)
        until(lambda: len(self._server) >= moment, seconds=MOST_SECONDS_BEFORE_A_KILL)

    def kill_worker(self, dice: random.Random) -> None:
        """It is stopped first, so that what it holds can be seen."""
        which = self.workers.wait_for_one(dice)
        self.workers.alive[which].popen.send_signal(signal.SIGSTOP)
        self.in_flight.update(leased())
        self.workers.kill(which)
        self.kills[SENDER] += 1
        self.cut_off += 1

    def kill_web(self, dice: random.Random) -> None:
        self.webs.kill(self.webs.wait_for_one(dice))
        self.kills[WEB] += 1

    def late(self) -> Counter[int]:
        """What workers say themselves that they have sent after its lease: the machine had kept them waiting."""
        logs = (
            log.read_text(encoding="utf-8", errors="replace") for log in self._folder.glob("worker-*.log")
        )
        return Counter(int(delivery) for log in logs for delivery in _LATE.findall(log))

    def ended(self) -> Mapping[str, list[str]]:
        """The logs of what has ended by itself."""
        pairs = {POLLER: self.pollers, SENDER: self.workers, WEB: self.webs}
        return {name: logs for name, pair in pairs.items() if (logs := pair.ended())}
