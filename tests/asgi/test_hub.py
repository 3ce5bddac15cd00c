"""The hub and its thread: order, pages, outages, and what is left of sockets that ended badly."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from notifications import consumers, frames, live
from notifications.listening import Listener
from notifications.live import Hub
from tests.asgi.inprocess import Tab, announce, own_hub, store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with own_hub(monkeypatch) as hub:
        yield hub


async def test_the_end_of_the_grace_does_not_let_live_frames_pass_the_backlog(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, gate = threading.Event(), threading.Event()
    backlog = consumers._backlog

    def slow(user_id: int, after: int, language: str) -> Any:
        frames = backlog(user_id, after, language)
        read.set()
        gate.wait(10)
        return frames

    monkeypatch.setattr(consumers, "_backlog", slow)
    monkeypatch.setattr(consumers, "RESUME_GRACE_SECONDS", 0.05)
    missed = store(alice, 3)
    hers, his = Tab(alice), Tab(bob)
    await his.open()
    await hers.open()
    await hers.send(type="resume", after=0)
    await asyncio.to_thread(read.wait, 10)
    new = store(alice, 2)
    store(bob)
    announce()
    await his.ids(1)
    assert await hers.communicator.receive_nothing(timeout=0.2)
    gate.set()
    assert await hers.ids(5) == missed + new


async def test_who_resumes_after_newer_ones_were_sent_fetches_anew(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "RESUME_GRACE_SECONDS", 0.0)
    missed = store(alice, 3)
    tab = Tab(alice)
    await tab.open()
    (new,) = store(alice)
    announce()
    assert await tab.ids(1) == [new]
    (newer,) = store(alice)
    await tab.send(type="resume", after=missed[-1])
    announce()
    await tab.send(type="resume", after=missed[0])
    frames = [await tab.next()]
    while frames[-1]["type"] != "resync":
        frames.append(await tab.next())
    sent = [frame["notification"]["id"] for frame in frames if frame["type"] == "notification"]
    assert sent == [newer], "each is sent once"
    await tab.send(type="resume", after=new)
    assert await tab.ids(1) == [newer], "the client asked for it after the resync"


async def test_a_client_too_slow_for_its_queue_can_resume_what_was_dropped(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MAX_QUEUED_FRAMES", 3)
    monkeypatch.setattr(consumers, "RESUME_GRACE_SECONDS", 0.0)
    tab = Tab(alice)
    await tab.open()
    ids = store(alice, 4)
    announce()
    await tab.frame("resync")
    (newer,) = store(alice)
    announce()
    assert await tab.ids(1) == [newer]
    await tab.send(type="resume", after=ids[1])
    await tab.frame("resync")
    await tab.send(type="resume", after=ids[1])
    assert await tab.ids(3) == [*ids[2:], newer]


async def test_a_socket_whose_application_is_cancelled_leaves_the_hub(alice: User, hub: Hub) -> None:
    tab = Tab(alice)
    await tab.open()
    assert hub.open_sockets == 1
    tab.communicator.future.cancel()
    await asyncio.wait([tab.communicator.future])
    assert hub.open_sockets == 0


async def test_many_new_ones_are_posted_page_by_page(
    alice: User, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[int] = []
    dispatch = hub._dispatch

    def noting(frames: Any) -> None:
        pages.append(len(frames))
        dispatch(frames)

    monkeypatch.setattr(hub, "_dispatch", noting)
    tab = Tab(alice)
    await tab.open()
    store(alice, 2 * frames.NEW_ROWS + 1)
    announce()
    await tab.frame("resync")
    while sum(pages) < 2 * frames.NEW_ROWS + 1:
        await tab.next()
    assert [page for page in pages if page > 1] == [frames.NEW_ROWS] * 2


async def test_with_many_users_online_the_database_is_not_told_who_they_are(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "NAMED_USERS", 1)
    asked: list[Any] = []
    query = Listener.query

    def noting(self: Listener, sql: Any, parameters: Any = ()) -> Any:
        if sql is frames.NEW:
            asked.append(parameters[1])
        return query(self, sql, parameters)

    monkeypatch.setattr(Listener, "query", noting)
    tab = Tab(bob)
    await tab.open()
    store(alice)
    (his,) = store(bob)
    announce()
    assert await tab.ids(1) == [his]
    assert asked == [None]


async def test_the_live_thread_outlives_any_error_and_tells_once(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also that resync is sent only when the new connection has shown that it works."""
    monkeypatch.setattr(live, "RECONNECT_SECONDS", (0.01, 0.02))
    caplog.set_level("INFO", "notifications.live")
    tab = Tab(alice)
    await tab.open()
    wait = Listener.wait
    for outage in (1, 2):
        turns: list[None] = []

        def failing(self: Listener, seconds: float, turns: list[None] = turns) -> None:
            turns.append(None)
            if len(turns) <= 3:
                raise ValueError("filedescriptor out of range")
            wait(self, seconds)

        monkeypatch.setattr(Listener, "wait", failing)
        assert (await tab.frame("resync"))["type"] == "resync"
        (new,) = store(alice)
        announce()
        frames = [await tab.next()]
        while frames[-1]["type"] != "notification":
            frames.append(await tab.next())
        assert frames[-1]["notification"]["id"] == new
        assert "resync" not in {frame["type"] for frame in frames}
        lines = [record.getMessage() for record in caplog.records]
        assert len([line for line in lines if line.startswith("live connection lost")]) == outage
        assert lines.count("live connection is back") == outage


async def test_a_payload_that_is_no_user_disturbs_nobody(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    tab = Tab(alice)
    await tab.open()
    for payload in ("rubbish", "-1", "²", "9" * 5000):
        announce(payload)
    (new,) = store(alice)
    announce()
    assert await tab.ids(1) == [new]
    assert not caplog.records
