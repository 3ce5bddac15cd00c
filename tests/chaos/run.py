"""One run: a cluster writes, everything is killed again and again, the mail server and the broker misbehave.

At the end each event must have been told exactly once, in the inbox and at the websockets, and each mail have arrived.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.contrib.auth.models import User

from notifications.models import CapturedChange, Delivery, DeliveryState, FailedChange, PendingMark
from preferences.models import UserPreference
from tests.chaos.ledger import CHANGES_OF_A_LIFE, TOLD, WRITERS, Cluster, Job, Told, marks_wrong
from tests.chaos.listeners import Listener
from tests.chaos.mail_server import FAULTS, GONE, MailServer
from tests.chaos.mails import Clock, Mails
from tests.chaos.site import KILLED, POOL_THREADS, Site
from tests.processes import wait_for

OWNERS = [f"user-{number}" for number in range(10)]
LISTENING = OWNERS[:3]
BUNDLED = OWNERS[3]
"""Whose mails wait for others; the others get a mail for each."""
OF_GONE = OWNERS[4]
WITH_ADDRESS = OWNERS[:5]
OPEN = [DeliveryState.PENDING, DeliveryState.LEASED, DeliveryState.RETRY, DeliveryState.BUNDLED]
LAST_SECONDS = 400
LAST_MAILS = 10


class Broker(Protocol):
    """`url` for CELERY_BROKER_URL. `empty` takes its messages away, however that happens to such a broker."""

    name: str
    url: str

    def empty(self, dice: random.Random) -> str:
        """What was done."""


Kill = Callable[[Site, random.Random], None]


def anything(site: Site, dice: random.Random) -> None:
    """One of the product's processes, or both pollers."""
    kinds = [site.kill_poller, site.kill_pollers, site.kill_worker, site.kill_web]
    (kill,) = dice.choices(kinds, [3, 1, 5, 3])
    kill(dice)


@dataclass
class Run:
    """What has happened, and what came of it."""

    name: str
    seconds: float
    changes: int
    site: Site
    server: MailServer
    clock: Clock
    emptied: Sequence[str]
    listeners: Sequence[Listener]
    jobs: Sequence[Job]
    told: Told
    mails: Mails

    @property
    def kills(self) -> int:
        return self.site.kills.total()

    def check(self) -> None:
        assert self.told == Told(expected=len(self.jobs) * len(TOLD), lost=0, too_much=0, out_of_order=0)
        assert not FailedChange.objects.exists()
        assert not marks_wrong(self.jobs)
        for listener in self.listeners:
            assert (listener.gaps(), listener.doubles(), listener.out_of_order()) == (0, 0, False)
        with_mail = sum(owner in WITH_ADDRESS for _, owner in self.jobs)
        assert self.mails.deliveries == with_mail * len(TOLD)
        assert (self.mails.lost, self.mails.misleading, self.mails.doubled_otherwise) == (0, 0, 0)
        assert self.mails.doubled_at_a_kill <= self.site.cut_off * POOL_THREADS
        assert self.mails.given_up, "an address that refuses everything is given up"
        assert self.mails.in_bundles, "the mails of one user wait for each other"
        assert self.clock.too_early() == 0

    def not_met(self) -> set[str]:
        """What a run of some length should have met and has not: a ledger of quiet days proves nothing."""
        met = {*self.site.kills, *self.server.did}
        others = {
            "broker emptied": len(self.emptied),
            "due times moved into the past": self.clock.to_past,
            "due times moved into the future": self.clock.to_future,
            "mails doubled at a kill": self.mails.doubled_at_a_kill,
        }
        return ({*KILLED, *FAULTS} - met) | {what for what, times in others.items() if not times}


def play(
    folder: Path,
    broker: Broker,
    *,
    kills: int,
    jobs_for_a_kill: int,
    seed: int,
    kill: Kill = anything,
    say: Callable[[str], object] = str,
) -> Run:
    """`say` is told how far it is."""
    dice, started = random.Random(seed), time.monotonic()
    jobs = [(f"job-{number}", OWNERS[number % len(OWNERS)]) for number in range(kills * jobs_for_a_kill)]
    changes = len(jobs) * CHANGES_OF_A_LIFE
    _create_users()
    clock, emptied = Clock(), []
    with ExitStack() as stack:
        server = stack.enter_context(closing(MailServer(seed=seed)))
        site = Site(stack, folder, server, CELERY_BROKER_URL=broker.url)
        listeners = [
            Listener(user, site.urls) for user in User.objects.filter(username__in=LISTENING).order_by("id")
        ]
        for listener in listeners:
            stack.callback(listener.stop)
        cluster = Cluster(jobs, seed=seed)
        pool = stack.enter_context(ThreadPoolExecutor(WRITERS))
        stack.callback(cluster.write, changes)  # a run that fails must not leave writers waiting
        writers = [pool.submit(cluster.run, number) for number in range(WRITERS)]
        written = 0
        while site.kills.total() < kills:
            site.wait_for_mails(dice)  # of the changes before; the kill meets the next ones
            allowed = changes * (site.kills.total() + 1) // (kills + 1)
            cluster.write(allowed - written)
            written = allowed
            _something_else(dice, clock, server)
            if dice.random() < 0.2:
                emptied.append(broker.empty(dice))
            kill(site, dice)
            say(f"{time.monotonic() - started:4.0f} s  {site.kills.total()} kills\n")
        cluster.write(changes - written)
        for writer in writers:
            writer.result()
        wait_for(lambda: not CapturedChange.objects.exists(), seconds=60, what="all changes are taken")
        wait_for(lambda: not PendingMark.objects.exists(), what="all marks are made")
        _wait_for_mails(clock, server)
        for listener in listeners:
            wait_for(listener.is_up_to_date, what=f"{listener.user} knows everything")
        assert not site.ended()
    return Run(
        name=broker.name,
        seconds=time.monotonic() - started,
        changes=changes,
        site=site,
        server=server,
        clock=clock,
        emptied=emptied,
        listeners=listeners,
        jobs=jobs,
        told=Told.of(jobs),
        mails=Mails.of(server, site.in_flight, site.late()),
    )


def _create_users() -> None:
    for name in OWNERS:
        address = f"{name}@example.org" if name in WITH_ADDRESS else ""
        user = User.objects.create_user(name, GONE if name == OF_GONE else address)
        UserPreference.objects.create(user=user, bundling_minutes=1 if name == BUNDLED else 0)


def _something_else(dice: random.Random, clock: Clock, server: MailServer) -> None:
    if dice.random() < 0.3:
        clock.jump(dice)
    if not server.is_listening:
        server.listen()
    elif dice.random() < 0.1:
        server.refuse()


def _wait_for_mails(clock: Clock, server: MailServer) -> None:
    """Retries and windows have long waits; the clock jumps over those. The last mails meet a server that behaves."""
    left = Delivery.objects.filter(state__in=OPEN)

    def none_left() -> bool:
        count = left.count()
        if count <= LAST_MAILS:
            server.behave()
        clock.make_due(count)
        return not count

    if not server.is_listening:
        server.listen()
    wait_for(none_left, seconds=LAST_SECONDS, what="all mails are sent")
