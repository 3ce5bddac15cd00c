"""The websocket of a real web process: which tokens open it, why the others do not, and what its log shows."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import User
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from preferences.models import SiteSettings
from tests.asgi.conftest import socket
from tests.inbox import LIST
from tests.processes import Process
from tests.tokens import REFUSED, token

pytestmark = pytest.mark.django_db(transaction=True)


def closed_with(url: str, bearer: str) -> tuple[int, str]:
    """Code and reason; the test fails when the socket says hello."""
    with socket(url, subprotocols=["notifcenter", f"bearer.{bearer}"]) as opened:
        with pytest.raises(ConnectionClosed) as closed:
            opened.frame()
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code, closed.value.rcvd.reason


def test_tokens_that_open_nothing(web: str, alice: User) -> None:
    told = {case: closed_with(web, make()) for case, (make, _) in REFUSED.items()}
    assert {case: code for case, (code, _) in told.items()} == dict.fromkeys(REFUSED, 4401)
    assert [case for case, (_, reason) in REFUSED.items() if reason not in told[case][1]] == []


def test_a_deactivated_user(web: str, alice: User) -> None:
    User.objects.update(is_active=False)
    assert closed_with(web, token()) == (4401, "This user has been deactivated.")


def test_application_tokens_switched_off(web: str, alice: User) -> None:
    SiteSettings.objects.create(application_tokens=False)
    code, said = closed_with(web, token(application=True))
    assert code == 4401
    assert "application tokens off" in said


@pytest.mark.parametrize("claims", [{}, {"application": True}, {"exp": 2**31}])
def test_a_token_that_opens(web: str, alice: User, claims: dict[str, Any]) -> None:
    with socket(web, subprotocols=["notifcenter", f"bearer.{token(**claims)}"]) as opened:
        assert opened.connection.subprotocol == "notifcenter"
        assert opened.frame()["type"] == "hello"


def test_a_socket_ends_with_its_token(web: str, alice: User) -> None:
    expires_at = int(time.time()) + 2
    with socket(web, subprotocols=["notifcenter", f"bearer.{token(exp=expires_at)}"]) as opened:
        assert opened.frame()["type"] == "hello"
        with pytest.raises(ConnectionClosed) as closed:
            opened.frame()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        assert time.time() >= expires_at


def test_a_token_in_the_address_is_not_looked_at(web: str, alice: User) -> None:
    address = f"{web.replace('http', 'ws', 1)}/ws/notifications/?token={token()}"
    with connect(address, origin=Origin(web)) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


def test_no_token_shows_in_the_log(web_process: tuple[str, Process], alice: User) -> None:
    url, process = web_process
    good, bad = token(seen="here"), token(exp=1, seen="here")
    with socket(url, subprotocols=["notifcenter", f"bearer.{good}"]) as opened:
        opened.frame()
    closed_with(url, bad)
    for one in (good, bad):
        with suppress(urllib.error.HTTPError):
            ask = urllib.request.Request(url + LIST, headers={"Authorization": f"Bearer {one}"})
            urllib.request.urlopen(ask, timeout=10).read()
    for one in (good, bad):
        for part in one.split("."):
            assert part not in process.log
