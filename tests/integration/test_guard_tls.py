"""Encrypted connections to users' servers: certificates, time, and the one proxy that may be used."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import pytest
from pytest_django.fixtures import Settings

from notifications.delivery.base import DeliveryError
from tests.integration.test_guard import post
from tests.receiver import LOOPBACK, Receiver, running_receiver
from tests.tls import Certificate, certificate, proxy

HOST = "hooks.example.org"


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"), HOST)


@pytest.fixture(scope="module")
def one_secure_receiver(paths: Certificate) -> Iterator[Receiver]:
    with running_receiver(paths) as server:
        yield server


@pytest.fixture
def secure_receiver(one_secure_receiver: Receiver) -> Receiver:
    one_secure_receiver.reset()
    return one_secure_receiver


@pytest.fixture
def _trusted(paths: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(paths.authority))


def resolve_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Our host's name means this address, or is unknown for ''."""
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        if host != HOST:
            return real(host, port, *arguments, **options)
        if not address:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.usefixtures("_trusted")
def test_an_authority_of_ones_own(
    secure_receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TARGETS_ALLOW_PRIVATE = LOOPBACK
    resolve_to(monkeypatch, "127.0.0.1")
    assert post(f"https://{HOST}:{secure_receiver.port}/").ok


def test_a_certificate_that_nobody_trusts(
    secure_receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TARGETS_ALLOW_PRIVATE = LOOPBACK
    resolve_to(monkeypatch, "127.0.0.1")
    with pytest.raises(DeliveryError, match="certificate is not valid: self") as error:
        post(f"https://{HOST}:{secure_receiver.port}/secret-path")
    assert not error.value.permanent
    assert secure_receiver.requests == []


@pytest.mark.usefixtures("_trusted")
def test_a_certificate_for_another_host(secure_receiver: Receiver, settings: Settings) -> None:
    settings.TARGETS_ALLOW_PRIVATE = LOOPBACK
    with pytest.raises(DeliveryError, match="certificate is not valid: IP address mismatch"):
        post(f"https://127.0.0.1:{secure_receiver.port}/")


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("misdeed", ["stall", "drip"])
def test_a_slow_server_is_left_after_a_while(
    misdeed: str, secure_receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS takes the socket away from its object, so that it is ended by a copy."""
    settings.TARGETS_ALLOW_PRIVATE = LOOPBACK
    resolve_to(monkeypatch, "127.0.0.1")
    secure_receiver.answer = getattr(secure_receiver, misdeed)
    with pytest.raises(DeliveryError, match="no complete answer"):
        post(f"https://{HOST}:{secure_receiver.port}/", seconds=1.0)


@pytest.mark.usefixtures("_trusted")
class TestThroughTheProxy:
    @pytest.fixture
    def asked(self, secure_receiver: Receiver, settings: Settings) -> Iterator[list[str]]:
        with proxy(secure_receiver.port) as (url, asked):
            settings.TARGETS_PROXY = url
            yield asked

    @pytest.mark.parametrize("address", ["1.1.1.1", ""])
    def test_all_goes_through_it(
        self, address: str, asked: list[str], secure_receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A name that only the proxy knows, too."""
        resolve_to(monkeypatch, address)
        assert post(f"https://{HOST}/hook").ok
        assert [line.rpartition(" ")[0] for line in asked] == [f"CONNECT {HOST}:443"]
        assert secure_receiver.requests[0].path == "/hook"

    @pytest.mark.parametrize(
        "url",
        [f"https://{HOST}/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "http://1.1.1.1/"],
    )
    def test_it_is_not_asked_for_what_is_inside(
        self, url: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolve_to(monkeypatch, "169.254.169.254")
        with pytest.raises(DeliveryError, match="Not sent") as error:
            post(url)
        assert error.value.permanent
        assert asked == []

    def test_nor_for_what_the_admin_allows_inside(
        self, asked: list[str], receiver: Receiver, settings: Settings
    ) -> None:
        assert post(receiver.url).ok
        assert asked == []

    def test_the_proxy_is_no_target(self, asked: list[str], settings: Settings) -> None:
        with pytest.raises(DeliveryError, match="Not sent"):
            post(settings.TARGETS_PROXY.replace("http:", "https:"))
        assert asked == []


def test_without_the_setting_no_proxy_is_used(
    secure_receiver: Receiver,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    paths: Certificate,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(paths.authority))
    resolve_to(monkeypatch, "127.0.0.1")
    settings.TARGETS_ALLOW_PRIVATE = [ip_network("127.0.0.1")]
    with proxy(secure_receiver.port) as (url, asked):
        monkeypatch.setenv("HTTPS_PROXY", url)
        assert getproxies()["https"] == url  # what `requests` would go by
        assert post(f"https://{HOST}:{secure_receiver.port}/").ok
        assert asked == []
