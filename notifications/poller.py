"""The poller: takes what the sources have captured and stores what has to be told.

Several may run; the one that holds the leader lock works, the others stand by. The lock belongs to the
database session in which the work is done, so that a poller that lost the session cannot work on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)

from notifications import leadership, pacing, poller_session, recording, snoozing
from notifications.database_errors import LOST_CONNECTION, in_words, may_be_the_change, refusal, what_happened
from notifications.garbage import collect_rarely
from notifications.listening import Listener
from notifications.sources.base import Batch, Source
from notifications.sources.frameworks import names
from notifications.sources.registry import SOURCES
from notifications.stopping import Stop

logger = logging.getLogger(__name__)

BATCH_CHANGES = 1000
LONG_BATCH_SECONDS = 1.0
"""A batch that takes longer makes the next ones smaller: the database cuts off a session that thinks for too long."""

STANDBY_SECONDS = 1.0
ONCE_PATIENCE_SECONDS = 60.0
"""How long `once` waits for what another poller has in hand."""

UPKEEP_SECONDS = 5.0
RECONNECT_SECONDS = (0.2, 0.5, 1.0, 2.0)
BUSY_WAIT_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05)
"""Pauses while a writer's open transaction keeps the poller from going to sleep."""


class CannotWorkError(Exception):
    """The message says why, and what to do."""


class Poller:
    """`hint` is called after a commit that left deliveries to send; it must not block or raise."""

    def __init__(self, *, interval_seconds: float = 1.0, hint: Callable[[], None] = lambda: None) -> None:
        self.interval_seconds = interval_seconds
        self._hint = hint
        self._sources: list[Source] = [source() for source in SOURCES]
        self._announced = False  # whether the sleep lock is held
        self._is_full = False
        self._has_told = False
        self._one_at_a_time = 0
        self._parts = 1  # into which a full batch is divided for the moment
        self._said = ""
        self._missing = ""
        self._next_upkeep = 0.0

    def run_once(self) -> bool:
        """One batch of every source, each in one transaction. Whether there may be more."""
        connection.ensure_connection()
        session = connection.connection
        limit = 1 if self._one_at_a_time else max(1, BATCH_CHANGES // self._parts)
        more = self._is_full = self._has_told = False
        for source in self._sources:
            try:
                more |= self._step(source, limit)
            except Exception as error:  # whatever it is, it must hold up nobody else
                if not may_be_the_change(error):
                    self._parts = min(8 * self._parts, BATCH_CHANGES)
                    raise
                # One of the changes cannot be read or stored. Alone, it shows itself and is put aside.
                if (
                    connection.connection is not session
                ):  # Django has opened another, without the leader's lock
                    raise OperationalError("the connection was lost") from error
                if limit == 1 and not source.put_aside(in_words(error)):
                    raise
                self._one_at_a_time = BATCH_CHANGES
                more = True
        self._one_at_a_time = max(0, self._one_at_a_time - 1)
        return more

    def run(self, stop: Stop, *, once: bool = False) -> None:
        """Work until stopped, and survive a restart of PostgreSQL; with `once`, until nothing is due.

        With `once`, what keeps it from working is raised: CannotWorkError, OperationalError.
        """
        collect_rarely()
        failures = 0
        while not stop.requested:
            started = time.monotonic()
            try:
                self._lead(stop, once=once)
                if once:
                    return
            except LOST_CONNECTION as error:
                if once:
                    raise
                if time.monotonic() - started > UPKEEP_SECONDS:
                    failures = 0  # it had worked
                pause = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                failures += 1
                logger.warning(
                    "%s retry_seconds=%s error=%r", what_happened(error), pause, str(error).strip()
                )
                stop.wait(pause)
            finally:
                self._step_down()

    def problem(self) -> str:
        """Why the poller cannot work, with what to do; '' when it can."""
        return " ".join(filter(None, (source.problem() for source in self._sources)))

    def _mend(self) -> str:
        """Put back what others have taken away; then as `problem`."""
        if not self.problem():
            return ""
        refusals = [source.put_back() for source in self._sources]
        return " ".join(filter(None, (self.problem(), *refusals)))

    def _step(self, source: Source, limit: int) -> bool:
        if not source.is_worth_a_look():
            return False
        started = time.monotonic()
        with transaction.atomic():
            batch = source.take(limit)
            if batch is None:
                return False
            self._is_full |= batch.is_full
            recorded = self._record(source, batch, started)
            self._has_told |= bool(recorded.notifications)
        seconds = time.monotonic() - started
        if seconds > LONG_BATCH_SECONDS:
            self._parts = min(2 * self._parts, BATCH_CHANGES)
        elif seconds < LONG_BATCH_SECONDS / 4:
            self._parts = max(1, self._parts // 2)
        if recorded.deliveries:
            self._hint()
        return True

    def _record(self, source: Source, batch: Batch, started: float) -> recording.Recorded:
        wishes = recording.wishes_of(batch)
        source.add_timed(batch, wishes)
        recorded = recording.record(batch.candidates, wishes, batch.groups)
        recording.resolve(batch.resolutions)
        recording.count(batch, recorded, seconds=time.monotonic() - started)
        source.finish(batch, recorded.frameworks)
        batch.last.send()
        return recorded

    def _lead(self, stop: Stop, *, once: bool) -> None:
        """Wait for the leader lock, then work until stopped. Returns early when something is missing."""
        poller_session.prepare()
        if not self._wait_for_lead(stop, once=once):
            return
        listener = Listener(names.CHANGES_CHANNEL)
        try:
            if problem := self._mend():
                self._rest(problem, stop, once=once)
                return
            for source in self._sources:
                source.reconcile()
            leadership.begin()
            self._work(stop, listener, once=once)
        except ProgrammingError as error:
            problem = self.problem() or refusal(error)
            if not problem:
                raise
            self._rest(problem, stop, once=once)
        finally:
            listener.close()

    def _wait_for_lead(self, stop: Stop, *, once: bool) -> bool:
        """Whether there is something to do for this poller; with `once`, not when another has done it all."""
        give_up_at = time.monotonic() + ONCE_PATIENCE_SECONDS
        while not self._try_lock(names.LEADER_LOCK):
            self._say("standing by: another poller is at work")
            if once and (problem := self.problem()):
                raise CannotWorkError(problem)
            if once and not self._has_work():
                self._say("nothing is left to do: another poller is at work")
                return False
            if once and time.monotonic() > give_up_at:
                raise CannotWorkError(
                    f"Another poller is at work, and changes still wait after {ONCE_PATIENCE_SECONDS:.0f} seconds. "
                    "Look at that poller's log, and at /healthz."
                )
            if stop.wait(STANDBY_SECONDS):
                return False
        return True

    def _rest(self, problem: str, stop: Stop, *, once: bool) -> None:
        if once:
            raise CannotWorkError(problem)
        self._say(problem)
        stop.wait(self._pause_seconds)

    def _work(self, stop: Stop, listener: Listener, *, once: bool) -> None:
        blocked, busy = 0, False
        while not stop.requested:
            self._upkeep(listener)
            started = time.monotonic()
            more = self.run_once()
            self._say(self._missing or "polling")
            if more:
                self._stay_awake()
                blocked = 0
                if busy and not self._is_full:
                    stop.wait(pacing.pause_seconds(time.monotonic() - started, told=self._has_told))
                busy = True
            elif once:
                return
            elif self._sleep(stop, listener):
                blocked, busy = 0, False
            else:
                stop.wait(BUSY_WAIT_SECONDS[min(blocked, len(BUSY_WAIT_SECONDS) - 1)])
                blocked += 1

    def _sleep(self, stop: Stop, listener: Listener) -> bool:
        """Sleep until a change, the interval or the stop. False when a writer is in the middle of a change.

        The lock tells writers that they have to NOTIFY; whoever wrote before it was taken is seen by the look
        after it (two statements: the second has a snapshot of its own).
        """
        if not self._announced and not self._try_lock(names.SLEEP_LOCK):
            return False
        self._announced = True
        if not self._has_work():
            stop.wait(self._pause_seconds, [listener.fileno()])
        if names.MISSED in listener.drain():
            for source in self._sources:
                source.reconcile_recent()
        return True

    def _stay_awake(self) -> None:
        """There is work: writers need not NOTIFY. Only after the first batch, which somebody waits for."""
        if self._announced:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [names.LOCK_SPACE, names.SLEEP_LOCK])
            self._announced = False

    def _upkeep(self, listener: Listener) -> None:
        if time.monotonic() < self._next_upkeep:
            return
        self._next_upkeep = time.monotonic() + UPKEEP_SECONDS
        listener.check()
        self._missing = self._mend()
        for source in self._sources:
            source.look_after()
        snoozing.wake_due()
        leadership.give_sign_of_life()

    def _has_work(self) -> bool:
        return any(source.has_work() for source in self._sources)

    @property
    def _pause_seconds(self) -> float:
        """Even a poller with a long interval gives its sign of life, and looks whether it can work."""
        return min(self.interval_seconds, UPKEEP_SECONDS)

    def _step_down(self) -> None:
        """Give the locks back before closing: the server would do it only when it notices that."""
        if connection.connection is not None:
            with suppress(DatabaseError, InterfaceError), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_all()")
        self._announced = False
        connection.close()

    def _try_lock(self, key: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [names.LOCK_SPACE, key])
            return bool(cursor.fetchone()[0])

    def _say(self, line: str) -> None:
        """One line for each new state of things, not one a second."""
        if line != self._said:
            self._said = line
            logger.info("%s", line)
