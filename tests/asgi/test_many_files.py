"""Waiting in a process that has more than a thousand files open, as a web process with as many sockets has."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from notifications.listening import Listener
from notifications.stopping import Stop
from tests.asgi.inprocess import announce

FILES = 1024


@pytest.fixture
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * FILES), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(FILES)]
    yield
    for file in files:
        os.close(file)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_many_files")
def test_a_listener_hears_with_more_than_a_thousand_files_open() -> None:
    listener = Listener("notifcenter_live")
    try:
        assert listener.fileno() >= FILES
        listener.wait(0)
        announce("7")
        listener.wait(10)
        assert listener.drain() == ["7"]
    finally:
        listener.close()


@pytest.mark.usefixtures("_many_files")
def test_a_stop_is_noticed_with_more_than_a_thousand_files_open() -> None:
    stop = Stop()
    reader, writer = os.pipe()
    assert reader >= FILES
    assert not stop.wait(0, [reader])
    stop.request()
    assert stop.wait(10, [reader])
    os.close(reader)
    os.close(writer)


@pytest.mark.django_db(transaction=True)
def test_a_listener_asks_the_system_whether_the_other_end_is_there() -> None:
    listener = Listener("notifcenter_live")
    try:
        kept: dict[str, Any] = psycopg2.extensions.ConnectionInfo(listener._connection).dsn_parameters
    finally:
        listener.close()
    assert (kept["keepalives"], kept["keepalives_idle"], kept["tcp_user_timeout"]) == ("1", "5", "10000")
