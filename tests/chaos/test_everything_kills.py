"""Pollers and workers killed with SIGKILL while the cluster writes and mails go out.

Every event is told exactly once and in order; every mail arrives, and twice only if a killed worker had it.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from notifications.models import CapturedChange, Delivery, DeliveryState, FailedChange, PendingMark
from preferences.models import UserPreference
from tests.chaos.ledger import CHANGES_OF_A_LIFE, TOLD, WRITERS, Cluster, Pollers, Told, marks_wrong
from tests.processes import Process, environment, manage, running, wait_for
from tests.scrapes import scrape
from tests.smtp import SmtpServer

SEED = 20261122
KILLS = 20
OWNERS = [f"user-{number}" for number in range(10)]
OWNERS_WITH_ADDRESS = OWNERS[:3]
JOBS = [(f"job-{number}", OWNERS[number % len(OWNERS)]) for number in range(1_000)]
CHANGES = len(JOBS) * CHANGES_OF_A_LIFE
CHANGES_FOR_A_KILL = CHANGES // (KILLS + 1)
MOST_MAILS_BEFORE_A_KILL = 15
WORKER_THREADS = 5  # those of its pool and the one that sweeps

CELERY = [sys.executable, "-m", "celery", "-A", "notifcenter"]
WORKER = [*CELERY, "worker", "--loglevel", "INFO"]
BEAT = [*CELERY, "beat", "--pidfile="]


class Site:
    """Two pollers, of which one stands by, a worker and the sweep; whatever is killed is started again at once."""

    def __init__(self, stack: ExitStack, folder: Path, server: SmtpServer) -> None:
        self._stack, self._folder, self._server = stack, folder, server
        self._environment = environment(
            EMAIL_URL=server.url, NOTIFCENTER_DATA_DIR=str(folder), NOTIFCENTER_LEASE_SECONDS="2"
        )
        self.kills = {"poller in a batch": 0, "poller": 0, "worker": 0}
        self.leased_at_a_kill: set[int] = set()
        self.pollers = Pollers(lambda number: self._start(f"poller-{number}", manage("poll_frameworks")))
        self.worker = self._start("worker-0", WORKER)
        self._start("beat", BEAT)

    def _start(self, name: str, arguments: list[str]) -> Process:
        process = running(arguments, self._folder / f"{name}.log", self._environment)
        return self._stack.enter_context(process)

    def kill_poller(self, cluster: Cluster, dice: random.Random) -> None:
        """The one at work: at any moment, or in the middle of the next batch."""
        self.pollers.wait_for_one_at_work()
        cluster.write(CHANGES_FOR_A_KILL)
        if dice.random() < 0.5:
            hit = self.pollers.kill_in_a_batch(seconds=2)
        else:
            hit = False
            self.pollers.kill(after_seconds=dice.random())
        self.kills["poller in a batch" if hit else "poller"] += 1

    def kill_worker(self, cluster: Cluster, dice: random.Random) -> None:
        """After a few mails. It is stopped first, so that what it holds can be seen."""
        self.worker.wait_for_log("ready.")
        moment = len(self._server.messages) + dice.randint(1, MOST_MAILS_BEFORE_A_KILL)
        cluster.write(CHANGES_FOR_A_KILL)
        wait_for(lambda: len(self._server.messages) >= moment, what="mails")
        self.worker.popen.send_signal(signal.SIGSTOP)
        leased = Delivery.objects.filter(state=DeliveryState.LEASED)
        self.leased_at_a_kill.update(leased.values_list("id", flat=True))
        self.worker.kill()
        self.kills["worker"] += 1
        self.worker = self._start(f"worker-{self.kills['worker']}", WORKER)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(240)
def test_everything_is_told_once_and_mailed_though_pollers_and_workers_are_killed(
    tmp_path: Path, ledger: Callable[[str], None]
) -> None:
    dice, started = random.Random(SEED), time.monotonic()
    for name in OWNERS:
        address = f"{name}@example.org" if name in OWNERS_WITH_ADDRESS else ""
        user = User.objects.create_user(name, address)
        UserPreference.objects.create(user=user, bundling_minutes=0)  # a mail for each

    with ExitStack() as stack:
        server = stack.enter_context(SmtpServer())
        server.programme.slowness_seconds = 0.03  # so that a kill finds a mail taken and not yet noted
        site = Site(stack, tmp_path, server)
        cluster = Cluster(JOBS, seed=SEED)
        pool = stack.enter_context(ThreadPoolExecutor(WRITERS))
        stack.callback(cluster.write, CHANGES)  # a test that fails must not leave writers waiting
        writers = [pool.submit(cluster.run, number) for number in range(WRITERS)]
        for _ in range(KILLS):
            kill = dice.choice([site.kill_poller, site.kill_worker])
            kill(cluster, dice)
        cluster.write(CHANGES - KILLS * CHANGES_FOR_A_KILL)
        for writer in writers:
            writer.result()
        wait_for(lambda: not CapturedChange.objects.exists(), what="all changes are taken")
        wait_for(lambda: not PendingMark.objects.exists(), what="all marks are made")
        unsent = Delivery.objects.exclude(state=DeliveryState.SENT)
        wait_for(lambda: not unsent.exists(), seconds=90, what="all mails are sent")
        assert not site.pollers.ended()
        assert site.worker.popen.poll() is None

    told = Told.of(JOBS)
    mails = set(Delivery.objects.values_list("id", flat=True))
    arrived = Counter(int(message_id.split("-")[1]) for message_id in server.counts().elements())
    doubled = {mail for mail, times in arrived.items() if times > 1}
    kills = ", ".join(f"{times} {what}" for what, times in site.kills.items())
    ledger(
        f"{KILLS} kills ({kills}) in {CHANGES} changes: {told.expected} notifications, lost {told.lost}, "
        f"inbox doubles {told.too_much}; {len(mails)} mails, lost {len(mails - set(arrived))}, "
        f"doubles {arrived.total() - len(arrived)} of {site.kills['worker']} worker kills; "
        f"{time.monotonic() - started:.0f} s"
    )
    assert told == Told(expected=len(JOBS) * len(TOLD), lost=0, too_much=0, out_of_order=0)
    assert not FailedChange.objects.exists()
    assert not marks_wrong(JOBS)

    assert len(mails) == len(TOLD) * sum(owner in OWNERS_WITH_ADDRESS for _, owner in JOBS)
    assert set(arrived) == mails
    assert scrape().counts("deliveries_total")["email", "sent"] == len(mails)
    assert doubled, "no kill hit a mail in flight, so that this has shown nothing"
    assert doubled <= site.leased_at_a_kill
    assert arrived.total() - len(arrived) <= site.kills["worker"] * WORKER_THREADS
