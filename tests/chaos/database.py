"""The private PostgreSQL server of the tests, to be killed. Django's backend starts it again at the next connection."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connection

from tests.chaos.ledger import AWAY
from tests.chaos.site import Site, leased
from tests.database import sql
from tests.processes import wait_for

PRIVATE = "notifcenter.embedded"


def needs_private_server() -> None:
    if settings.DATABASES["default"]["ENGINE"] != PRIVATE:
        pytest.skip("DATABASE_URL names a server that others may use too; only a private one is killed")


def kill_database(site: Site, dice: random.Random) -> None:
    """With SIGKILL: the whole server, its first process, or a session's, after which it restarts by itself."""
    what = dice.choice(list(VICTIMS))
    before = leased()
    for process in VICTIMS[what](_server()):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    wait_for(_is_gone, what="the kill has reached our session")
    wait_for(_answers, what="PostgreSQL is back")
    site.in_flight.update(before | leased())
    site.cut_off += len(site.workers.alive)
    site.kills[f"PostgreSQL, {what}"] += 1


def _server() -> psutil.Process:
    lock = Path(settings.DATA_DIR, "postgresql", "postmaster.pid")
    return psutil.Process(int(lock.read_text(encoding="utf-8").split()[0]))


def _first(server: psutil.Process) -> list[psutil.Process]:
    return [server]


def _whole(server: psutil.Process) -> list[psutil.Process]:
    return [server, *server.children(recursive=True)]


def _session(server: psutil.Process) -> list[psutil.Process]:
    others = sql(
        "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' LIMIT 1"
    )
    return [psutil.Process(pid) for (pid,) in others]


VICTIMS: Mapping[str, Callable[[psutil.Process], list[psutil.Process]]] = {
    "all of it": _whole,
    "its first process": _first,
    "a session": _session,
}


def _answers() -> bool:
    """Asking starts it again, unless it does so by itself."""
    try:
        return sql("SELECT 1") == [(1,)]
    except AWAY:
        connection.close()
        return False


def _is_gone() -> bool:
    """Whichever process of it is killed, all sessions end; a moment later, if it was another's session."""
    return not _answers()
