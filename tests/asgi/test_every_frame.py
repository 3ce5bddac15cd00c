"""Who may send which frame, asked of every kind there is, so that a new one cannot be forgotten."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from notifications.consumers import NotificationConsumer
from notifications.live import Hub
from notifications.models import Notification
from tests.asgi.inprocess import Tab, own_hub, store
from tests.tokens import SECRET, token

pytestmark = pytest.mark.django_db(transaction=True)

FRAMES: dict[str, list[Callable[[list[int]], dict[str, Any]]]] = {
    "resume": [lambda ids: {"after": 0}],
    "read": [lambda ids: {"ids": ids}, lambda ids: {"up_to": max(ids)}],
}
"""By `type`: frames that ask for what is alice's, whose notifications have these ids."""


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Hub]:
    settings.PAI_JWT_SECRET = SECRET
    with own_hub(monkeypatch) as hub:
        yield hub


def kinds() -> set[str]:
    """The types that the consumer looks for, from its source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(NotificationConsumer._handle)))
    return {
        str(pattern.value.value)
        for case in ast.walk(tree)
        if isinstance(case, ast.match_case)
        for pattern in ast.walk(case.pattern)
        if isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Constant)
    }


def test_every_kind_of_frame_is_in_the_table() -> None:
    assert kinds() == set(FRAMES), (
        "Add frames of each new `type` to FRAMES, such that ask for what is alice's."
    )


async def test_who_has_no_right_gets_no_further_than_the_door(alice: User) -> None:
    ids = store(alice)
    for who in ("stranger", "job", "gone"):
        for frames in FRAMES.values():
            for frame in frames:
                User.objects.filter(pk=alice.pk).update(is_active=True)
                tab = {
                    "stranger": lambda: Tab(),
                    "job": lambda: Tab(token=token(jobSpecific=True)),
                    "gone": lambda: Tab(alice),
                }[who]()
                User.objects.filter(pk=alice.pk).update(is_active=who != "gone")
                assert await tab.open() == {"type": "closed", "code": 4401}, who
                await tab.send(type="read", **frame(ids))
    assert not Notification.objects.exclude(read_at=None).exists()


async def test_frames_reach_only_what_is_ones_own(alice: User, bob: User, root: User) -> None:
    ids = store(alice, 3)
    for kind, frames in FRAMES.items():
        for frame in frames:
            for who in (bob, root):
                tab = Tab(who)
                assert (await tab.open())["unread"] == 0
                await tab.send(type=kind, **frame(ids))
                heard = [await tab.next() for _ in range(3)]
                assert {one["type"] for one in heard} == {"state"}, (who, kind, heard)
                assert {(one["unread"], one["last_id"]) for one in heard} == {(0, 0)}
                await tab.communicator.disconnect()
    assert not Notification.objects.exclude(read_at=None).exists()
