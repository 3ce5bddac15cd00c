"""A push service on loopback that may be reached, and a browser that has subscribed there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from notifications.delivery import sender
from tests.push import CONTACT, KEY, Browser
from tests.receiver import LOOPBACK, Receiver, running_receiver
from tests.tls import Certificate, certificate


@pytest.fixture
def _keys(settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY, settings.VAPID_CONTACT = KEY, CONTACT


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture(scope="module")
def one_service(paths: Certificate) -> Iterator[Receiver]:
    with running_receiver(paths) as server:
        yield server


@pytest.fixture
def service(
    one_service: Receiver, paths: Certificate, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Receiver]:
    """A push service that may be reached, and whose certificate is trusted."""
    settings.TARGETS_ALLOW_PRIVATE = LOOPBACK
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(paths.authority))
    one_service.reset()
    one_service.status = 201
    yield one_service
    one_service.let_go.set()


@pytest.fixture
def browser(service: Receiver) -> Browser:
    return Browser(f"https://localhost:{service.port}/push/abc?x=1")


def send_all() -> None:
    while sender.deliver_once():
        pass
