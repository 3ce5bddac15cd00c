"""From NOTIFY to the open sockets of this process: one thread that listens, one dictionary user → subscribers.

The thread owns a database connection; it reads what is new once for all sockets, and hands finished frames to
the event loop. It is started by the first socket, since Daphne tells nobody when it starts. When the connection
was lost, every socket is told to resync, because NOTIFY is not repeated.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Protocol

import prometheus_client
import psycopg2
from django.db import OperationalError

from notifications import counting, inbox, rights
from notifications.frames import ID_COLUMN, NEW, NEW_ROWS, RESYNC, USER_COLUMN, Frame, New, encode, frames_of
from notifications.listening import LIVE_CHANNEL, Listener
from notifications.rounds import Round

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 30.0
READY_SECONDS = 5.0
RECONNECT_SECONDS = (0.5, 1.0, 2.0, 5.0)
MAX_ID_DIGITS = 10
COUNTED_USERS = 1000
NAMED_USERS = 1000
"""With more users online, the database is not told who they are."""

_COUNT_ACTIVE = inbox.count_unread_sql("ARRAY(SELECT id FROM auth_user WHERE id = ANY(%s) AND is_active)")

CHANGE_TO_FRAME = prometheus_client.Histogram(
    f"{counting.NAMESPACE}_change_to_frame_seconds",
    "From the event on the cluster to the frame handed to a websocket of this web process.",
    buckets=counting.REACTION_SECONDS,
    registry=None,
)


class Subscriber(Protocol):
    """An open socket. Called in its event loop; must not block."""

    right: rights.Right
    language: str

    def deliver(self, notification_id: int | None, frame: str) -> None:
        """Queue it."""

    async def send_queued(self) -> None: ...

    def revoke(self) -> None:
        """The right has ended: close."""


class Hub:
    """`_subscribers` is changed in the event loop only, under the lock; the thread looks users up, or copies it."""

    def __init__(self) -> None:
        self._subscribers: dict[int, set[Subscriber]] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = asyncio.Event()
        self._last_id = 0

    async def join(self, subscriber: Subscriber) -> None:
        """From now on the subscriber hears of everything that commits. Raises TimeoutError without a database."""
        self._start()
        with self._lock:
            self._subscribers.setdefault(subscriber.right.user_id, set()).add(subscriber)
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            self.leave(subscriber)
            raise

    def leave(self, subscriber: Subscriber) -> None:
        user_id = subscriber.right.user_id
        with self._lock:
            mine = self._subscribers.get(user_id, set())
            mine.discard(subscriber)
            if not mine:
                self._subscribers.pop(user_id, None)

    @property
    def open_sockets(self) -> int:
        """May be asked by any thread."""
        with self._lock:
            return sum(map(len, self._subscribers.values()))

    def _languages(self, user_id: int) -> set[str]:
        """Those that the sockets of a user speak; none when there is no socket."""
        with self._lock:
            return {one.language for one in self._subscribers.get(user_id, ())}

    def _online(self) -> list[int]:
        with self._lock:
            return list(self._subscribers)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._ready = asyncio.Event()
            threading.Thread(target=self._run, args=(loop, self._ready), name="live", daemon=True).start()

    def _wanted(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Until the loop is closed or replaced, which only tests do; the thread is a daemon."""
        return self._loop is loop and not loop.is_closed()

    def _run(self, loop: asyncio.AbstractEventLoop, ready: asyncio.Event) -> None:
        lost, failures = False, 0
        while self._wanted(loop):
            started = time.monotonic()
            try:
                with closing(Listener(LIVE_CHANNEL)) as listener:
                    self._last_id = listener.query(
                        "SELECT COALESCE(max(id), 0) FROM notifications_notification"
                    )[0][0]
                    self._turn(loop, listener, 0)  # a connection that can do this is worth announcing
                    self._call(loop, ready.set)
                    if lost:
                        logger.info("live connection is back")
                        self._post(loop, [(user, self._last_id, RESYNC, "") for user in self._online()])
                    lost = False
                    self._listen(loop, listener)
            except Exception as error:  # whatever it is, it must not end the live push
                self._call(loop, ready.clear)
                if not lost:
                    unexpected = not isinstance(error, psycopg2.Error | OperationalError)
                    logger.warning("live connection lost error=%r", str(error).strip(), exc_info=unexpected)
                lost = True
                if time.monotonic() - started > RECONNECT_SECONDS[-1]:
                    failures = 0
                time.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
                failures += 1

    def _listen(self, loop: asyncio.AbstractEventLoop, listener: Listener) -> None:
        heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
        while self._wanted(loop):
            self._turn(loop, listener, heartbeat_at - time.monotonic())
            if time.monotonic() >= heartbeat_at:
                heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
                self._revoke(loop, listener)
                self._states(loop, listener, self._online(), heartbeat=True)

    def _turn(self, loop: asyncio.AbstractEventLoop, listener: Listener, seconds: float) -> None:
        listener.wait(seconds)
        payloads = set(listener.drain())
        if "" in payloads:
            self._new(loop, listener)
        users = (
            int(payload) for payload in payloads if payload.isdecimal() and len(payload) <= MAX_ID_DIGITS
        )
        self._states(loop, listener, [user for user in users if user in self._subscribers])

    def _new(self, loop: asyncio.AbstractEventLoop, listener: Listener) -> None:
        """Post frames for all that is newer than the last look; the poller commits ids in ascending order."""
        rows = None
        while rows is None or len(rows) == NEW_ROWS:
            named = self._online() if len(self._subscribers) < NAMED_USERS else None
            rows = listener.query(NEW, [self._last_id, named])
            read_at = time.monotonic()
            told: defaultdict[str, list[New]] = defaultdict(list)
            for row in rows:
                self._last_id = row[ID_COLUMN]
                languages = self._languages(row[USER_COLUMN])
                if languages and (one := New.of(row)).is_shown:
                    for language in languages:
                        told[language].append(one)
            self._post(loop, [frame for language, new in told.items() for frame in frames_of(new, language)])
            if told:
                ages = {one.notification.pk: one.age for new in told.values() for one in new}
                self._call(loop, partial(_observe, ages.values(), read_at))

    def _states(
        self, loop: asyncio.AbstractEventLoop, listener: Listener, users: list[int], **more: bool
    ) -> None:
        for start in range(0, len(users), COUNTED_USERS):
            rows = listener.query(_COUNT_ACTIVE, [users[start : start + COUNTED_USERS]])
            counts = map(inbox.unread_from_row, rows)
            frames = [
                (user, None, encode({"type": "state", **count.as_dict(), **more}), "")
                for user, count in counts
            ]
            self._post(loop, frames)

    def _revoke(self, loop: asyncio.AbstractEventLoop, listener: Listener) -> None:
        """Have the sockets closed whose right has ended."""
        with self._lock:
            sockets = [one for mine in self._subscribers.values() for one in mine]
        ended = rights.ended(listener, {one.right for one in sockets})
        for one in sockets:
            if one.right in ended:
                self._call(loop, one.revoke)

    def _post(self, loop: asyncio.AbstractEventLoop, frames: Sequence[Frame]) -> None:
        if frames:
            self._call(loop, partial(self._dispatch, frames))

    def _call(self, loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(function)

    def _dispatch(self, frames: Sequence[Frame]) -> None:
        reached: dict[Subscriber, None] = {}  # each once, in their order
        for user_id, notification_id, text, language in frames:
            for subscriber in self._subscribers.get(user_id, ()):
                if language in ("", subscriber.language):
                    subscriber.deliver(notification_id, text)
                    reached[subscriber] = None
        Round(reached)


def _observe(ages: Collection[float], read_at: float) -> None:
    """Called in the loop after the frames were handed out; `ages` are those of their events at `read_at`."""
    since = time.monotonic() - read_at
    for age in ages:
        CHANGE_TO_FRAME.observe(max(0.0, age + since))


hub = Hub()
