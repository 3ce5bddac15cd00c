"""A socket ends with the right it was opened with, and only then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django.fixtures import Settings

from notifications import live, rights
from notifications.live import Hub
from preferences.models import SiteSettings
from tests.asgi.inprocess import Tab, announce, own_hub, store
from tests.tokens import SECRET, token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with own_hub(monkeypatch) as hub:
        yield hub


@pytest.fixture(autouse=True)
def _tokens_are_taken(settings: Settings) -> None:
    settings.PAI_JWT_SECRET = SECRET


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def log_out(user: User) -> None:
    Session.objects.all().delete()


def let_the_session_run_out(user: User) -> None:
    Session.objects.update(expire_date=timezone.now())


def change_the_password(user: User) -> None:
    user.set_password("another-password")
    user.save()


@pytest.mark.parametrize("end", [deactivate, log_out, let_the_session_run_out, change_the_password])
async def test_an_open_socket_ends_with_the_session(
    alice: User, hub: Hub, end: Callable[[User], None]
) -> None:
    tab = Tab(alice)
    assert (await tab.open())["type"] == "hello"
    assert (await tab.frame("state"))["heartbeat"]
    end(alice)
    assert (await tab.frame("closed"))["code"] == 4401
    assert hub.open_sockets == 0


async def test_only_the_socket_of_the_ended_session_is_closed(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "CHUNK", 1)
    tab = Tab(alice)
    ended = Session.objects.get()
    other = Tab(bob)
    await tab.open()
    await other.open()
    ended.delete()
    assert (await tab.frame("closed"))["code"] == 4401
    for _ in range(3):
        assert (await other.next())["heartbeat"]


async def test_a_token_needs_no_session_but_an_active_user(alice: User) -> None:
    tab = Tab(token=token())
    await tab.open()
    for _ in range(3):
        assert (await tab.next())["heartbeat"]
    deactivate(alice)
    assert (await tab.frame("closed"))["code"] == 4401


async def test_a_socket_is_closed_when_its_token_expires(alice: User) -> None:
    expires_at = int(time.time()) + 2
    tab = Tab(token=token(exp=expires_at))
    assert (await tab.open())["type"] == "hello"
    assert (await tab.frame("closed"))["code"] == 4401
    assert 0 <= time.time() - expires_at < 2


async def test_application_tokens_are_switched_off_for_open_sockets_too(alice: User) -> None:
    program, person, page = Tab(token=token(application=True)), Tab(token=token()), Tab(alice)
    for tab in (program, person, page):
        assert (await tab.open())["type"] == "hello"
    assert (await program.frame("state"))["heartbeat"]
    SiteSettings.objects.create(application_tokens=False)
    assert (await program.frame("closed"))["code"] == 4401
    for _ in range(3):
        assert (await person.next())["heartbeat"]
        assert (await page.next())["heartbeat"]
    assert await Tab(token=token(application=True)).open() == {"type": "closed", "code": 4401}


async def test_nothing_is_delivered_to_a_deactivated_user(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 2.0)
    hers, his = Tab(alice), Tab(bob)
    await hers.open()
    await his.open()
    deactivate(alice)
    store(alice)
    (his_id,) = store(bob)
    announce()
    announce(str(alice.pk))
    announce(str(bob.pk))
    assert await his.ids(1) == [his_id]
    assert (await his.frame("state"))["unread"] == 1
    await hers.send(type="resume", after=0)
    assert await hers.next() == {"type": "closed", "code": 4401}
