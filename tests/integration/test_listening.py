"""LISTEN on a connection that is also used for queries."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.db import connection

from notifications.listening import Listener

pytestmark = pytest.mark.django_db(transaction=True)

LONG_SECONDS = 20.0


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener("channel_of_a_test")
    yield listener
    listener.close()


def notify(payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('channel_of_a_test', %s)", [payload])


def test_it_waits_until_something_arrives(listener: Listener) -> None:
    listener.wait(0)
    assert listener.drain() == []
    notify("one")
    notify("two")
    started = time.monotonic()
    listener.wait(LONG_SECONDS)
    assert time.monotonic() - started < LONG_SECONDS / 2
    listener.check()
    assert listener.drain() == ["one", "two"]


def test_what_arrives_during_a_query_is_not_slept_over(listener: Listener) -> None:
    """The query's answer takes it from the connection, so that the connection has nothing more to be read."""
    notify("during a query")
    listener.query("SELECT 1")
    started = time.monotonic()
    listener.wait(LONG_SECONDS)
    assert time.monotonic() - started < LONG_SECONDS / 2
    assert listener.drain() == ["during a query"]
