"""Asking for the cluster's users over real connections: what can go wrong, and that it ends with one clear line."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from accounts import rest_server as asked
from accounts.rest_server import RestServerError, fetch_users
from tests.rest_server import TOKEN, RestServer, person, reply, rest_server

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture(scope="module")
def started() -> Iterator[RestServer]:
    with rest_server() as server:
        yield server


@pytest.fixture
def server(started: RestServer) -> Iterator[RestServer]:
    yield started
    started.answer = started.list_users
    started.name()
    started.asked.clear()


def fetch(server: RestServer, token: str = TOKEN) -> list[object]:
    return fetch_users(server.url + "/rest-server", token)


def answers(body: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: reply(handler, body, status, named)


def test_all_users_with_the_token_of_an_admin(server: RestServer) -> None:
    server.name(person("alice"), person("bob"))
    assert fetch(server) == [person("alice"), person("bob")]
    assert server.asked == [("/rest-server/api/v2/users", f"Bearer {TOKEN}")]


def test_no_netrc_takes_the_place_of_the_token(
    server: RestServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert fetch(server) == []


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"[")
    handler.connection.shutdown(socket.SHUT_RDWR)


def no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    handler.connection.shutdown(socket.SHUT_RDWR)


WRONG: dict[str, tuple[Answer, str]] = {
    "the token is refused": (answers({"code": "UnauthorizedUserError"}, 401), "refuses PAI_REST_SERVER_TOKEN (401)"),
    "no admin": (answers({"code": "ForbiddenUserError"}, 403), "(403): it must be a valid token of one of its admins"),
    "not found": (answers({}, 404), "answers 404 to /api/v2/users"),
    "broken": (answers({"message": "secret-inside"}, 500), "answers 500"),
    "an empty answer": (answers(b""), "is no JSON"),
    "a page": (answers(b"<html>"), "is no JSON"),
    "broken JSON": (answers(b'[{"username": "al'), "is no JSON"),
    "deep JSON": (answers(b"[" * 100_000), "is no JSON"),
    "a number too long": (answers(b"[" + b"1" * 10_000 + b"]"), "is no JSON"),
    "not UTF-8": (answers(b'["\xff"]'), "is no JSON"),
    "no list": (answers({"users": []}), "is no list of users"),
    "a redirect": (answers(b"", 302, Location="http://127.0.0.1:1/"), "answers with a redirect"),
    "a next page elsewhere": (answers([], Link='<http://127.0.0.1:1/>; rel="next"'), "to another host"),
    "cut short": (cut_short, "PAI_REST_SERVER_URL"),
    "no HTTP": (no_http, "PAI_REST_SERVER_URL cannot be reached"),
    "bad compression": (answers(b"x" * 100, Content_Encoding="gzip"), "breaks off (DecodeError)"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_one_line_that_says_what_is_wrong(server: RestServer, case: str) -> None:
    server.answer, said = WRONG[case]
    with pytest.raises(RestServerError) as error:
        fetch(server)
    assert said in str(error.value)
    for secret in (TOKEN, "secret-inside", server.url):
        assert secret not in str(error.value)


def test_nobody_is_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # not listening
        with pytest.raises(RestServerError, match="cannot be reached"):
            fetch_users(f"http://user:password@127.0.0.1:{probe.getsockname()[1]}", TOKEN)


@pytest.mark.parametrize(("url", "token"), [("", TOKEN), ("http://127.0.0.1:1", "")])
def test_what_is_not_set_is_named(url: str, token: str) -> None:
    with pytest.raises(RestServerError, match="Set PAI_REST_SERVER_URL and PAI_REST_SERVER_TOKEN"):
        fetch_users(url, token)


@pytest.mark.parametrize("token", ["a\r\nX-More: b", "tökén"])
def test_a_token_that_fits_no_header(server: RestServer, token: str) -> None:
    with pytest.raises(RestServerError, match="holds characters that no token has"):
        fetch(server, token)
    assert server.asked == []


def test_a_redirect_takes_the_token_nowhere(server: RestServer) -> None:
    with rest_server() as other:
        server.answer = answers(b"", 307, Location=other.url + "/rest-server/api/v2/users")
        with pytest.raises(RestServerError, match="redirect"):
            fetch(server)
        assert other.asked == []


def test_a_silent_server(server: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "SILENCE_SECONDS", 0.3)

    def say_nothing(handler: BaseHTTPRequestHandler) -> None:
        server.let_go.wait(60)

    server.answer = say_nothing
    with pytest.raises(RestServerError, match="does not answer in time"):
        fetch(server)


def test_a_server_that_falls_silent_in_the_middle(
    server: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "SILENCE_SECONDS", 0.3)

    def stall(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"[")
        server.let_go.wait(60)

    server.answer = stall
    with pytest.raises(RestServerError, match="does not answer in time"):
        fetch(server)


def endless(chunk: bytes, pause: float, server: RestServer) -> Answer:
    def flow(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not server.let_go.wait(pause):
            handler.wfile.write(chunk)

    return flow


def test_a_trickle_ends(server: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "TOTAL_SECONDS", 1.0)
    server.answer = endless(b" ", 0.05, server)
    begun = time.monotonic()
    with pytest.raises(RestServerError, match="takes longer than 1 seconds"):
        fetch(server)
    assert time.monotonic() - begun < 20  # the silence that would be allowed between two bytes


def test_a_flood_ends(server: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "MAX_BYTES", 1_000_000)
    server.answer = endless(b" " * 65_536, 0, server)
    with pytest.raises(RestServerError, match="more than 1000000 bytes"):
        fetch(server)


def test_a_bomb_is_not_unpacked(server: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "MAX_BYTES", 1_000_000)
    server.answer = answers(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")
    with pytest.raises(RestServerError, match="more than 1000000 bytes"):
        fetch(server)


def test_too_many_users(server: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "MAX_USERS", 2)
    server.name(*(person(f"user{n}") for n in range(3)))
    with pytest.raises(RestServerError, match="more than 2 users"):
        fetch(server)


def in_pages(server: RestServer, *pages: list[Any]) -> Answer:
    def page(handler: BaseHTTPRequestHandler) -> None:
        number = int(handler.path.partition("?page=")[2] or 0)
        more = {"Link": f'</users?page={number + 1}>; rel="next"'} if number + 1 < len(pages) else {}
        reply(handler, pages[number], headers=more)

    return page


def test_a_list_in_pages(server: RestServer) -> None:
    server.answer = in_pages(server, [person("alice")], [], [person("bob"), person("carol")])
    assert [row["username"] for row in fetch(server) if isinstance(row, dict)] == ["alice", "bob", "carol"]
    assert {authorization for _, authorization in server.asked} == {f"Bearer {TOKEN}"}


def test_pages_without_end(server: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "MAX_PAGES", 3)
    server.answer = in_pages(server, *[[]] * 10)
    with pytest.raises(RestServerError, match="more than 3 pages"):
        fetch(server)
    assert len(server.asked) == 3
