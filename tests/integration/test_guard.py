"""What is sent to users' addresses reaches nothing inside, whatever they write and whatever their servers do."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from typing import Any

import pytest
import requests
from pytest_django.fixtures import Settings

from notifications.delivery.base import DeliveryError
from notifications.delivery.guard import ForbiddenError, guarded
from notifications.delivery.outside import MAX_ANSWER_BYTES, OutsideSession, refusal, trouble
from tests.receiver import Receiver

LONG_SECONDS = 60.0


def post(url: str, *, seconds: float = LONG_SECONDS) -> requests.Response:
    """Raises DeliveryError when it does not come to an answer."""
    with guarded(seconds=seconds), OutsideSession() as session:
        try:
            return session.post(url, data=b"hello")
        except (requests.RequestException, OSError) as error:
            raise trouble(error) from error


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",  # 127.0.0.1 as one number
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "example.org@127.0.0.1",
        "127.0.0.1%2f@127.0.0.1",
        "①②⑦.⓪.⓪.①",
        "LOCALHOST.",
    ],
)
def test_no_spelling_of_this_machine_gets_through(host: str, closed_receiver: Receiver) -> None:
    with pytest.raises(DeliveryError) as error:
        post(f"https://{host}:{closed_receiver.port}/secret-path")
    assert closed_receiver.requests == []
    assert "secret-path" not in str(error.value)


def test_the_error_says_why_and_is_final(closed_receiver: Receiver) -> None:
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1 is an address inside the network") as error:
        post(f"https://localhost:{closed_receiver.port}/")
    assert error.value.permanent


def test_what_the_admin_allows_is_reached(receiver: Receiver) -> None:
    assert post(receiver.url + "/hook").text == "ok"
    assert receiver.requests[0].body == b"hello"


def test_a_redirect_to_the_inside_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": receiver.url + "/inside"}
    error = refusal(post(receiver.url + "/hook"))
    assert error is not None
    assert error.permanent
    assert [request.path for request in receiver.requests] == ["/hook"]


def test_a_name_that_means_something_else_the_second_time(
    receiver: Receiver,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first answer may be reached, the second is this machine: only what is connected to counts."""
    settings.TARGETS_ALLOW_PRIVATE = [ip_network("127.0.0.7")]
    answers = ["127.0.0.7", "127.0.0.1"]
    asked: list[str] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        address = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(
        DeliveryError, match="refused"
    ):  # nobody listens on 127.0.0.7, but it was allowed to ask
        post(f"http://rebind.example.org:{receiver.port}/")
    with pytest.raises(DeliveryError, match="inside the network"):
        post(f"http://rebind.example.org:{receiver.port}/")
    assert receiver.requests == []


def test_of_several_addresses_only_the_allowed_are_tried(
    receiver: Receiver,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.TARGETS_ALLOW_PRIVATE = [ip_network("127.0.0.1")]
    tried: list[str] = []
    connect = socket.socket.connect

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("127.0.0.2", "127.0.0.1")
        ]

    def watched(self: socket.socket, address: Any) -> None:
        tried.append(address[0])
        connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", watched)
    assert post(f"http://both.example.org:{receiver.port}/").ok
    assert tried == ["127.0.0.2", "127.0.0.1"]


def test_neither_proxies_nor_passwords_of_ours_are_used(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login us password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(receiver.url).ok
    assert receiver.requests[0].headers["Authorization"] is None


WAYS_OUT: dict[str, Callable[[int], object]] = {
    "a bare socket": lambda port: socket.create_connection(("127.0.0.1", port)),
    "a name given to a socket": lambda port: socket.socket().connect(("localhost", port)),
    "without an exception": lambda port: socket.socket().connect_ex(("127.0.0.1", port)),
    "a datagram": lambda port: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
    "a unix socket": lambda port: socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock"),
    "another library": lambda port: urllib.request.urlopen(f"http://127.0.0.1:{port}/"),
    "a process": lambda port: subprocess.run([sys.executable, "-c", ""], check=True),
    "a shell": lambda port: os.system("true"),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_other_way_out(way: str, closed_receiver: Receiver) -> None:
    with (
        guarded(seconds=LONG_SECONDS),
        pytest.raises(OSError, match=r"inside|resolved|allowed|only") as error,
    ):
        WAYS_OUT[way](closed_receiver.port)
    assert isinstance(error.value, ForbiddenError) or "inside the network" in str(error.value)
    assert closed_receiver.requests == []


def test_others_go_on_as_before(closed_receiver: Receiver) -> None:
    """Other threads, and this one outside of the guard."""
    answers = []
    with guarded(seconds=LONG_SECONDS):
        pass
    started, go = threading.Event(), threading.Event()

    def other() -> None:
        started.set()
        go.wait(LONG_SECONDS)
        answers.append(requests.post(closed_receiver.url, timeout=LONG_SECONDS).status_code)

    thread = threading.Thread(target=other)
    thread.start()
    started.wait(LONG_SECONDS)
    with guarded(seconds=LONG_SECONDS):
        go.set()
        thread.join()
    assert answers == [200]
    assert requests.post(closed_receiver.url, timeout=LONG_SECONDS).ok


@pytest.mark.parametrize("misdeed", ["stall", "drip"])
def test_a_slow_server_is_left_after_a_while(misdeed: str, receiver: Receiver) -> None:
    receiver.answer = getattr(receiver, misdeed)
    with pytest.raises(DeliveryError, match="no complete answer") as error:
        post(receiver.url, seconds=0.5)
    assert not error.value.permanent


def test_an_answer_is_read_up_to_a_bound(receiver: Receiver) -> None:
    receiver.body = b"x" * (10 * MAX_ANSWER_BYTES)
    assert len(post(receiver.url).content) == MAX_ANSWER_BYTES
    receiver.headers, receiver.body = {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 50_000_000)
    assert len(post(receiver.url).content) == MAX_ANSWER_BYTES


def test_a_server_that_talks_nonsense(receiver: Receiver) -> None:
    def babble(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"\x00\xff" * 100 + b"\r\n\r\n")

    receiver.answer = babble
    with pytest.raises(DeliveryError, match="no usable answer") as error:
        post(receiver.url)
    assert not error.value.permanent


def test_a_port_where_nobody_listens(receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    with pytest.raises(DeliveryError, match="Connection refused") as error:
        post(f"http://127.0.0.1:{port}/secret-path")
    assert not error.value.permanent


@pytest.mark.parametrize(
    ("status", "permanent", "retry_after", "pause"),
    [
        (404, True, "", 0),
        (408, False, "", 0),
        (429, False, "120", 120),
        (429, False, "-5", 0),
        (429, False, "99999999999999999999", 6 * 3600),
        (503, False, "Fri, 31 Dec 1999 23:59:59 GMT", 0),
        (503, False, "Fri, 31 Dec 2199 23:59:59 GMT", 6 * 3600),
        (503, False, "Fri, 31 Dec 2199 23:59:59", 0),
        (500, False, "soon", 0),
    ],
)
def test_what_an_answer_means(
    receiver: Receiver,
    status: int,
    permanent: bool,
    retry_after: str,
    pause: float,
) -> None:
    receiver.status, receiver.headers = status, {"Retry-After": retry_after} if retry_after else {}
    error = refusal(post(receiver.url))
    assert error is not None
    assert (error.permanent, error.retry_after_seconds) == (permanent, pause)
