"""`python -m notifcenter.run` starts everything, and leaves nothing behind however it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import requests
from django.contrib.auth.models import User

from notifications import vapid
from tests.cluster import submit
from tests.processes import Process, environment, free_port, running, wait_for

PROGRAMS = {
    "web": "daphne",
    "poller": "poll_frameworks",
    "worker": "worker",
    "beat": "beat",
    "cluster": "demo_cluster",
}
REPLACED = ("DATABASE_URL", "EMAIL_URL", "BASE_URL", "NOTIFCENTER_DEMO", "NOTIFCENTER_TEST_DATABASE")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Not under pytest's own folder, which other users cannot enter: as root the server runs as another."""
    folder = Path(tempfile.mkdtemp(prefix="notifcenter-run-"))
    folder.chmod(0o755)
    yield folder
    end_all(folder)
    shutil.rmtree(folder, ignore_errors=True)


def belonging_to(data_dir: Path) -> dict[psutil.Process, str]:
    """Every process of a run, the server too (the folder is in its environment or command), by command."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            command = " ".join(process.cmdline())
            if str(data_dir) in command or process.environ().get("NOTIFCENTER_DATA_DIR") == str(data_dir):
                found[process] = command
    return found


def end_all(data_dir: Path) -> None:
    """After a failed test."""
    for process in belonging_to(data_dir):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def programs(data_dir: Path) -> dict[str, psutil.Process]:
    found = belonging_to(data_dir).items()
    return {name: process for process, line in found for name, word in PROGRAMS.items() if word in line}


@contextmanager
def product(data_dir: Path, port: int, log: str = "run.log") -> Iterator[Process]:
    """The running product, ready."""
    with started(data_dir, port, log) as process:
        process.wait_for_log("Ctrl-C stops everything")
        yield process


def started(data_dir: Path, port: int, log: str = "run.log") -> Any:
    env = {name: value for name, value in os.environ.items() if name not in REPLACED}
    env |= {"NOTIFCENTER_DATA_DIR": str(data_dir), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    return running([sys.executable, "-m", "notifcenter.run"], data_dir / log, env)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read().decode())


def push_key_told(url: str) -> str:
    """What the profile page of alice gets for the browser."""
    with requests.Session() as session:
        session.get(f"{url}/accounts/login/", timeout=10)
        form = {
            "username": "alice", "password": "demo", "csrfmiddlewaretoken": session.cookies["csrftoken"],
        }  # fmt: skip
        session.post(f"{url}/accounts/login/", form, timeout=20).raise_for_status()
        preferences = session.get(f"{url}/api/v1/preferences/", timeout=10).json()["channels"]["webpush"]
        assert "switched" not in preferences["why_not"]
        answer = session.get(f"{url}/api/v1/push-subscriptions/", timeout=10)
        return str(answer.json()["application_server_key"])


def server(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgresql" / "postmaster.pid").read_text().splitlines()[0]))


def try_to_count_jobs(data_dir: Path) -> int:
    try:
        return count_jobs(data_dir)
    except (OSError, IndexError, psycopg2.OperationalError):
        return 0


def count_jobs(data_dir: Path) -> int:
    host = (data_dir / "postgresql" / "postmaster.pid").read_text().splitlines()[4]  # the socket's folder
    connection = psycopg2.connect(host=host, user="postgres", dbname="notifcenter")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM frameworks")
            return int(cursor.fetchone()[0])  # type: ignore[index]
    finally:
        connection.close()


@pytest.mark.timeout(240)
def test_ctrl_c_ends_all_of_it_and_a_second_start_keeps_the_data(data_dir: Path) -> None:
    port = free_port()
    with product(data_dir, port) as run:
        assert f"http://127.0.0.1:{port}" in run.log
        assert "alice" in run.log
        assert "<form" in get(f"http://127.0.0.1:{port}/accounts/login/")
        wait_for(lambda: programs(data_dir).keys() == set(PROGRAMS), what="all programs run")
        wait_for(lambda: count_jobs(data_dir) > 3, what="the cluster submits jobs")
        wait_for(
            lambda: json.loads(get(f"http://127.0.0.1:{port}/healthz"))["status"] == "ok", what="healthy"
        )
        run.popen.send_signal(signal.SIGINT)
        assert run.popen.wait(30) == 0
        assert "Traceback" not in run.log
        assert " | " not in run.log, "nothing to warn of"
    wait_for(lambda: not belonging_to(data_dir), what="nothing is left")

    key = (data_dir / "vapid-private-key").read_text().strip()
    assert (data_dir / "vapid-private-key").stat().st_mode & 0o077 == 0
    with product(data_dir, port, "second.log") as run:
        assert count_jobs(data_dir) > 3
        told = push_key_told(f"http://127.0.0.1:{port}")
        assert told == vapid.public_key(key), "a browser can be added, and stays known after a restart"
        assert run.stop(signal.SIGTERM) == 0
    wait_for(lambda: not belonging_to(data_dir), what="nothing is left")


@pytest.mark.timeout(240)
def test_accidents(data_dir: Path) -> None:
    """One after the other on the same data: a second start, a program that dies, a kill -9."""
    port = free_port()
    with product(data_dir, port) as run:
        with started(data_dir, free_port(), "other.log") as other:
            assert other.popen.wait(30) == 1
            assert f"already running, on http://127.0.0.1:{port};" in other.log
            assert other.log.count("\n") == 1
        programs(data_dir)["poller"].kill()
        assert run.popen.wait(30) == 1
        assert "poller ended unexpectedly (signal 9); stopping the rest." in run.log
        assert "Traceback" not in run.log
    wait_for(lambda: not belonging_to(data_dir), what="nothing is left")

    with product(data_dir, port, "killed.log") as run:
        run.kill()
        server(data_dir).kill()
        left = programs(data_dir)
        assert left.keys() == set(PROGRAMS)
        with product(data_dir, port, "after.log") as after:
            assert not any(process.is_running() for process in left.values())
            jobs = count_jobs(data_dir)
            server(data_dir).kill()
            wait_for(lambda: try_to_count_jobs(data_dir) > jobs, what="the cluster goes on")
            assert after.stop(signal.SIGINT) == 0
    wait_for(lambda: not belonging_to(data_dir), what="nothing is left")


def test_a_port_in_use_is_one_clear_line(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with started(data_dir, port) as run:
            assert run.popen.wait(30) == 1
            (line,) = run.log.splitlines()
            assert line.startswith(f"PORT: 127.0.0.1:{port} cannot be used: Address already in use;")
    assert not (data_dir / "postgresql").exists()


@pytest.mark.parametrize("port", ["70000", "0", "http"])
def test_a_port_that_is_none_is_one_clear_line(data_dir: Path, port: str) -> None:
    env = {"PORT": port}
    with running(
        [sys.executable, "-m", "notifcenter.run"],
        data_dir / "run.log",
        {**os.environ, "NOTIFCENTER_DATA_DIR": str(data_dir), **env},
    ) as run:
        assert run.popen.wait(30) == 1
        (line,) = run.log.splitlines()
        assert line.startswith("PORT: ")


def test_a_data_folder_that_cannot_be_used_is_one_clear_line(data_dir: Path) -> None:
    (data_dir / "file").touch()
    with running(
        [sys.executable, "-m", "notifcenter.run"],
        data_dir / "run.log",
        {**os.environ, "NOTIFCENTER_DATA_DIR": str(data_dir / "file"), "PORT": str(free_port())},
    ) as run:
        assert run.popen.wait(30) == 1
        (line,) = run.log.splitlines()
        assert line.startswith("NOTIFCENTER_DATA_DIR: ")


@pytest.mark.timeout(120)
def test_ctrl_c_during_the_preparation_is_quiet(data_dir: Path) -> None:
    with started(data_dir, free_port()) as run:
        run.wait_for_log("Preparing")
        run.popen.send_signal(signal.SIGINT)
        assert run.popen.wait(60) == 0
        assert "Traceback" not in run.log
    wait_for(lambda: not belonging_to(data_dir), what="nothing is left")


@pytest.mark.django_db(transaction=True)
def test_the_demo_keeps_away_from_a_real_cluster(data_dir: Path) -> None:
    submit("a real job")
    log = data_dir / "run.log"
    env = environment(NOTIFCENTER_DATA_DIR=str(data_dir), PORT=str(free_port()))
    with running([sys.executable, "-m", "notifcenter.run"], log, env) as process:
        assert process.popen.wait(30) == 1
    assert "DATABASE_URL: this database holds the jobs of a real cluster" in process.log
    assert not User.objects.exists()
