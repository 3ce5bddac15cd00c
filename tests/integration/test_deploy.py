"""deploy/start runs each part with the settings of one file."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT, answers, free_port, running, wait_for

START = str(ROOT / "deploy" / "start")

pytestmark = pytest.mark.skipif(
    not (ROOT / ".venv" / "bin" / "daphne").exists(),
    reason="it runs the programs of .venv, which is not here",
)


def environment(folder: Path, **settings: str) -> dict[str, str]:
    file = folder / "notifcenter.env"
    values = {"NOTIFCENTER_DATA_DIR": str(folder), "SECRET_KEY": "key", **settings}
    file.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()), encoding="utf-8")
    return {"PATH": os.environ["PATH"], "NOTIFCENTER_ENV": str(file)}


def start(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [START, *arguments], env=env, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )


def test_a_command_gets_the_settings(tmp_path: Path) -> None:
    done = start(environment(tmp_path, BASE_URL="not an address"), "manage", "check")
    assert done.returncode == 1
    assert done.stderr.startswith("BASE_URL: ")


def test_the_site_listens_where_it_is_told(tmp_path: Path) -> None:
    port = free_port()
    env = environment(tmp_path, PORT=str(port), DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    with running([START, "web"], tmp_path / "web.log", env) as web:
        wait_for(lambda: web.popen.poll() is not None or answers(port), what="it listens")
        assert web.popen.poll() is None, web.log


@pytest.mark.parametrize("part", [[], ["everything"]])
def test_another_part_is_refused(tmp_path: Path, part: list[str]) -> None:
    done = start(environment(tmp_path), *part)
    assert (done.returncode, done.stderr.split()[:2]) == (2, ["deploy/start", "poller"])


def test_without_the_file_it_says_which(tmp_path: Path) -> None:
    done = start({"PATH": os.environ["PATH"], "NOTIFCENTER_ENV": str(tmp_path / "none.env")}, "web")
    assert done.returncode != 0
    assert "none.env" in done.stderr
