"""One websocket of one user. Frames are described in docs/websocket.md."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import InterfaceError, OperationalError
from django.utils import translation

from notifications import finding, inbox
from notifications.frames import RESYNC, encode, notification_frame
from notifications.live import hub
from notifications.rights import Right
from notifications.rounds import Round
from notifications.socket_threads import in_thread

MAX_FRAME_BYTES = 16 * 1024
MAX_IDS = 100
MAX_ID = 2**63 - 1
MAX_BACKLOG = 100
MAX_QUEUED_FRAMES = 200
FRAMES_PER_SECOND = 10
FRAME_BURST = 50
RESUME_GRACE_SECONDS = 0.25
"""After `hello`, live frames wait this long for a `resume`, so that the older ones come first."""

RIGHT_ENDED = "The session or the token has ended; sign in again."

CLOSE_UNKNOWN = 4401
CLOSE_TOO_LARGE = 1009
CLOSE_TOO_MANY = 1008
TRY_LATER = 1013, "The database does not answer; try again."
"""What a socket is closed with then: code and reason."""


class BadFrameError(Exception):
    """What a client sent cannot be used; the message tells what is expected."""


class NotificationConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """Joins the live list first and reads after that, so that nothing falls between; drops by id what is double."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._joined = self._accepted = self._left = False
        self._timers: list[asyncio.TimerHandle] = []
        self._closing: asyncio.Task[None] | None = None
        self._outgoing: deque[tuple[int | None, str]] = deque()
        self._sending = asyncio.Lock()
        self._holding = True
        self._resuming = False
        self._known_id = 0  # the client has, or has been told of, everything up to here
        self._sent_after = 0  # of that, everything after this one was sent on this socket
        self._budget = float(FRAME_BURST)
        self._budget_at = time.monotonic()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()

    async def connect(self) -> None:
        user, refusal = self.scope.get("user"), self.scope.get("refusal")
        if refusal is None and (user is None or not user.is_authenticated):
            refusal = (CLOSE_UNKNOWN, "Sign in first.")
        if refusal is not None:
            await self._refuse(*refusal)
            return
        session, bearer = self.scope.get("session"), self.scope.get("bearer")
        if session:
            self.right = Right(user.pk, session.session_key, user.password)
        else:
            self.right = Right(user.pk, by_application=bool(bearer and bearer.is_application))
        self.language = self.scope["language"]
        self._joined = True
        try:
            await hub.join(self)
            state = await in_thread(inbox.count_unread, user.pk)
        except (TimeoutError, OperationalError, InterfaceError):
            await self._refuse(*TRY_LATER)
            return
        if self._left:
            await self._refuse(CLOSE_UNKNOWN, RIGHT_ENDED)
            return
        await self.accept(self.scope.get("subprotocol"))
        self._accepted = True
        self._known_id = self._sent_after = state.last_id
        await self.send(encode({"type": "hello", "user": user.get_username(), **state.as_dict()}))
        later = asyncio.get_running_loop().call_later
        self._timers.append(later(RESUME_GRACE_SECONDS, self._end_grace))
        if bearer and bearer.expires_at is not None:
            self._timers.append(later(bearer.expires_at - time.time(), self.revoke))

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        self._leave()
        await super().close(code, reason)

    def revoke(self) -> None:
        """The right to read has ended. Called in this loop."""
        self._leave()
        if self._accepted and self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self.close(CLOSE_UNKNOWN, RIGHT_ENDED))

    def _leave(self) -> None:
        """No frame from now on. Whatever ends the socket comes through here, some of it twice."""
        self._left = True
        if self._joined:
            hub.leave(self)
        self._outgoing.clear()
        for timer in self._timers:
            timer.cancel()

    async def _refuse(self, code: int, reason: str) -> None:
        """Accept first: a browser sees no code of a refused handshake."""
        await self.accept(self.scope.get("subprotocol"))
        await self.close(code, reason)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._left:
            return
        size = len(bytes_data) if bytes_data is not None else len((text_data or "").encode())
        if size > MAX_FRAME_BYTES:
            await self.close(CLOSE_TOO_LARGE, f"A frame may have {MAX_FRAME_BYTES} bytes.")
            return
        if not self._within_budget():
            await self._complain(
                f"Too many frames: more than {FRAMES_PER_SECOND} a second. Connect again later."
            )
            await self.close(CLOSE_TOO_MANY, "Too many frames.")
            return
        try:
            await self._handle(_parsed(text_data))
        except BadFrameError as error:
            await self._complain(str(error))
        except (OperationalError, InterfaceError):
            await self._complain(TRY_LATER[1])

    def deliver(self, notification_id: int | None, frame: str) -> None:
        """Called by the hub, in this loop. A client too slow for its queue gets `resync` instead."""
        if len(self._outgoing) >= MAX_QUEUED_FRAMES:
            missed = [one for one, _ in self._outgoing if one is not None]
            self._outgoing.clear()
            notification_id, frame = max([*missed, notification_id or 0]), RESYNC
        self._outgoing.append((notification_id, frame))

    async def send_queued(self) -> None:
        """Send what live frames wait, unless they are held back, or somebody is at it already."""
        if self._sending.locked():
            return
        async with self._sending:
            while self._outgoing and not self._holding:
                notification_id, frame = self._outgoing.popleft()
                if frame == RESYNC:
                    self._known_id = self._sent_after = max(self._known_id, notification_id or 0)
                elif notification_id is not None:
                    if notification_id <= self._known_id:
                        continue
                    self._known_id = notification_id
                await self.send(frame)

    def _end_grace(self) -> None:
        if not self._resuming:
            self._release()

    def _release(self) -> None:
        self._holding = False
        if self._outgoing:
            Round([self])

    async def _handle(self, frame: dict[str, Any]) -> None:
        user_id = self.right.user_id
        match frame.get("type"):
            case "resume":
                await self._resume(_id(frame.get("after"), "after"))
            case "read" if {"ids", "up_to"} <= frame.keys():
                raise BadFrameError("A frame has `ids` or `up_to`, not both.")
            case "read" if "up_to" in frame:
                await in_thread(inbox.mark_read, user_id=user_id, up_to=_id(frame["up_to"], "up_to"))
            case "read":
                await in_thread(inbox.mark_read, user_id=user_id, ids=_ids(frame.get("ids")))
            case other:
                raise BadFrameError(f'`type` must be "resume" or "read", not {json.dumps(other)[:40]}.')

    async def _resume(self, after: int) -> None:
        """Send what is newer than `after`, then go on live: each once, in the order of their ids."""
        self._holding = self._resuming = True  # live frames wait
        try:
            async with self._sending:
                await self._send_newer(after)
        finally:
            self._resuming = False
            self._release()

    async def _send_newer(self, after: int) -> None:
        if after >= self._sent_after:
            after = max(after, self._known_id)
        elif self._known_id > self._sent_after:  # too late: newer ones have been sent
            await self._send_resync()
            return
        frames = await in_thread(_backlog, self.right.user_id, after, self.language)
        if len(frames) > MAX_BACKLOG:
            await self._send_resync()
            return
        self._sent_after = min(after, self._sent_after)
        for notification_id, frame in frames:
            self._known_id = max(self._known_id, notification_id)
            await self.send(frame)

    async def _send_resync(self) -> None:
        self._sent_after = self._known_id
        await self.send(RESYNC)

    def _within_budget(self) -> bool:
        now = time.monotonic()
        self._budget = min(FRAME_BURST, self._budget + (now - self._budget_at) * FRAMES_PER_SECOND)
        self._budget_at = now
        self._budget -= 1
        return self._budget >= 0

    async def _complain(self, detail: str) -> None:
        await self.send(encode({"type": "error", "detail": detail}))


def _backlog(user_id: int, after: int, language: str) -> list[tuple[int, str]]:
    """Frames of what is newer than `after`, one more than are ever sent."""
    newer = finding.newer(user_id=user_id, after=after, size=MAX_BACKLOG + 1)
    count = inbox.count_unread(user_id)
    with translation.override(language):
        return [
            (one.pk, notification_frame(one, one.user.get_username(), count))
            for one in newer
            if one.user.is_active
        ]


def _parsed(text: str | None) -> dict[str, Any]:
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        raise BadFrameError("A frame must be a JSON object.") from None
    if not isinstance(frame, dict):
        raise BadFrameError("A frame must be a JSON object.")
    return frame


def _id(value: object, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ID:
        return value
    raise BadFrameError(f"`{name}` must be the id of a notification.")


def _ids(value: object) -> list[int]:
    if not isinstance(value, list) or len(value) > MAX_IDS:
        raise BadFrameError(f"`ids` must be a list of at most {MAX_IDS} ids.")
    return [_id(one, "ids") for one in value]
