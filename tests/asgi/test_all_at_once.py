"""What happens when all clients come back in the same moment."""

from __future__ import annotations

import selectors
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import processes

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 300


def test_clients_wait_in_line_for_a_busy_process(tmp_path: Path) -> None:
    """Those whom the kernel drops would try again after one second, then two, four, and so on."""
    with processes.daphne(tmp_path) as (url, process), ExitStack() as stack:
        place = urlsplit(url)
        process.popen.send_signal(signal.SIGSTOP)
        stack.callback(process.popen.send_signal, signal.SIGCONT)
        waiting = stack.enter_context(selectors.DefaultSelector())
        for _ in range(CLIENTS):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex((place.hostname, place.port))
            waiting.register(client, selectors.EVENT_WRITE)
        connected = 0
        while found := waiting.select(timeout=0.5):
            for key, _ in found:
                assert key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0  # type: ignore[union-attr]
                waiting.unregister(key.fileobj)
                connected += 1
        assert connected == CLIENTS
