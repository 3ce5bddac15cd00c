"""Who may connect, and what happens to frames that cannot be used."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests import processes
from tests.asgi.conftest import Socket, socket

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "a-secret-of-the-cluster-that-is-long-enough-even-for-hs512-tokens-in-tests"


def closed_with(client: Socket) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        client.frame("a kind that never comes")
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode({"username": "alice", "application": False, **claims}, secret, algorithm=algorithm)


def protocols(one: str) -> dict[str, Any]:
    return {"subprotocols": ["notifcenter", f"bearer.{one}"]}


@pytest.mark.parametrize("path", ["/", "/ws/notifications/x", "/ws/%00"])
def test_elsewhere_there_is_no_socket_and_no_alarm(
    web: str, web_process: tuple[str, processes.Process], path: str
) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(web.replace("http", "ws", 1) + path, origin=Origin(web)),
    ):
        pass
    assert refused.value.response.status_code == 403
    assert "Traceback" not in web_process[1].log


def test_a_stranger_is_closed_with_4401(web: str) -> None:
    with socket(web) as client:
        assert closed_with(client)[0] == 4401


@pytest.mark.parametrize("options", [{}, {"origin": None} | protocols(token())], ids=["session", "token"])
def test_without_a_database_one_is_told_to_try_later(
    tmp_path: Path, options: dict[str, Any], alice: User
) -> None:
    nowhere = "postgresql://u@127.0.0.1:1/nowhere"
    with processes.daphne(tmp_path, DATABASE_URL=nowhere, PAI_JWT_SECRET=SECRET) as (url, process):
        with socket(url, alice, **options) as client:
            assert closed_with(client) == (1013, "The database does not answer; try again.")
        assert "Traceback" not in process.log


def test_a_deactivated_user_is_closed_with_4401(web: str, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with socket(web, alice) as client:
        assert closed_with(client)[0] == 4401


def test_another_origin_is_closed_with_4403_also_with_a_session(web: str, alice: User) -> None:
    with socket(web, alice, origin="https://evil.example") as client:
        assert closed_with(client)[0] == 4403


def test_a_token_opens_the_socket_and_is_not_echoed(web: str, alice: User) -> None:
    with socket(web, **protocols(token())) as client:
        assert client.frame()["type"] == "hello"
        assert client.connection.subprotocol == "notifcenter"


REFUSED = {
    "expired": token(exp=int(time.time()) - 10),
    "another secret": token(secret="another-secret-that-is-long-enough"),
    "another algorithm": token(algorithm="HS512"),
    "no algorithm": jwt.encode({"username": "alice"}, "", algorithm="none"),
    "a job's token": token(jobSpecific=True),
    "unknown user": token(username="nobody"),
    "no user": token(username=""),
    "rubbish": "rubbish",
}


@pytest.mark.parametrize("one", REFUSED.values(), ids=REFUSED)
def test_a_token_that_opens_nothing_is_closed_with_4401(web: str, alice: User, one: str) -> None:
    with socket(web, **protocols(one)) as client:
        code, reason = closed_with(client)
    assert code == 4401
    assert reason


BAD_FRAMES = {
    "no JSON": "hello",
    "a list": "[]",
    "deep": "[" * 10_000,
    "no type": "{}",
    "unknown type": '{"type": "delete"}',
    "no id": '{"type": "resume"}',
    "negative": '{"type": "resume", "after": -1}',
    "huge": '{"type": "resume", "after": 99999999999999999999999}',
    "a bool": '{"type": "read", "up_to": true}',
    "ids no list": '{"type": "read", "ids": 5}',
    "too many ids": json.dumps({"type": "read", "ids": list(range(101))}),
    "both": '{"type": "read", "ids": [1], "up_to": 2}',
    "binary": b"\x00\xff",
}


@pytest.mark.parametrize("bad", BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_a_malformed_frame_gets_an_error_and_the_connection_lives_on(web: str, alice: User, bad: Any) -> None:
    with socket(web, alice) as client:
        client.frame("hello")
        client.send(bad)
        assert client.frame()["detail"]
        client.send({"type": "read", "up_to": 0})
        client.send("?")
        assert client.frame()["type"] == "error"


@pytest.mark.parametrize("size", [16 * 1024 + 1, 2 * 1024 * 1024])
def test_a_frame_that_is_too_large_closes_with_1009(web: str, alice: User, size: int) -> None:
    with socket(web, alice) as client:
        client.frame("hello")
        client.send("x" * size)
        assert closed_with(client)[0] == 1009


def test_too_many_frames_close_the_connection_and_only_that_one(web: str, alice: User) -> None:
    with socket(web, alice) as quiet, socket(web, alice) as loud:
        loud.frame("hello")
        for _ in range(100):
            loud.send({"type": "read", "ids": []})
        assert closed_with(loud)[0] == 1008
        quiet.frame("hello")
        quiet.send("?")
        assert quiet.frame()["type"] == "error"
