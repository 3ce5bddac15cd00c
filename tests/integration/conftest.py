from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from notifications.delivery import sender
from notifications.delivery.backoff import Breaker
from tests import smtp
from tests.clients import client_of
from tests.receiver import closed_receiver as closed_receiver
from tests.receiver import one_receiver as one_receiver
from tests.receiver import receiver as receiver
from tests.smtp import SmtpServer


@pytest.fixture
def breaker(monkeypatch: pytest.MonkeyPatch) -> Breaker:
    """The process's own, fresh: no channel rests because of an earlier test."""
    fresh = Breaker()
    monkeypatch.setattr(sender, "breaker", fresh)
    return fresh


@pytest.fixture
def server(settings: Settings, breaker: Breaker) -> Iterator[SmtpServer]:
    """A mail server that takes everything, unless it is told otherwise, and that the product uses."""
    with SmtpServer() as started:
        smtp.use(settings, started)
        yield started


@pytest.fixture
def browser(alice: User) -> Client:
    """Alice is signed in."""
    return client_of(alice)
