"""All of an event's way on PostgreSQL 12, the server that OpenPAI brings."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import node_packages, processes
from tests.processes import free_port

SERVER = node_packages.MODULES / "postgresql12" / "native"
STRANGER = "nobody"
"""PostgreSQL refuses to run as root."""

SCRIPT = """
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from notifications.models import Notification
for command in ("migrate", "play", "capture install", "play", "poll_frameworks --once"):
    call_command(*command.replace("play", "demo_cluster --once --seed 1 --jobs 20").split(), verbosity=0)
marked = 'SELECT name FROM frameworks WHERE "notifiedAtFailed"'
with connection.cursor() as cursor:
    cursor.execute(marked)
    names = [name for (name,) in cursor.fetchall()]
print(connection.pg_version // 10000, Notification.objects.filter(event="failed", framework_name__in=names).count())
"""


@pytest.fixture
def address() -> Iterator[str]:
    if reason := node_packages.why_not():
        pytest.skip(reason)
    if not SERVER.exists():
        pytest.skip("there is no such server for this machine")
    home = Path(tempfile.mkdtemp(prefix="notifcenter-pg12-"))  # others must be able to enter it
    user = STRANGER if os.geteuid() == 0 else None
    try:
        shutil.copytree(SERVER, home / "native", symlinks=True)
        for link in json.loads((SERVER / "pg-symlinks.json").read_text(encoding="utf-8")):
            target = home / link["target"]
            if not os.path.lexists(target):
                target.symlink_to(home / link["source"])
        if user:
            owner = pwd.getpwnam(user)
            os.chown(home, owner.pw_uid, owner.pw_gid)
        port = free_port()

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [home / "native" / "bin" / program, "-D", home / "data", *arguments],
                env={"LD_LIBRARY_PATH": str(home / "native" / "lib"), "LC_ALL": "C"},
                user=user, cwd=home, check=True, timeout=60, stdout=subprocess.DEVNULL,
            )  # fmt: skip

        run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8")
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-w", "-l", str(home / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_the_way_of_an_event(address: str) -> None:
    env = processes.environment(DATABASE_URL=address, DJANGO_SETTINGS_MODULE="notifcenter.settings")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=env, cwd=processes.ROOT,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    version, told = done.stdout.split()
    assert version == "12"
    assert int(told) > 0
