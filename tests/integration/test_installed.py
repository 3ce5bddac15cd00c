"""The source archive gives a wheel, and the wheel a working site, without the checkout and the tests' packages."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement

from notifcenter.version import VERSION
from tests.database import another_database
from tests.processes import ROOT, answers, database_url, environment, free_port, running, wait_for

PURELIB = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")


def run(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        arguments, cwd=cwd, env=env, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source archive, so that this holds all that a build needs."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    with tarfile.open(folder / f"notifcenter-{VERSION}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    source = folder / f"notifcenter-{VERSION}"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=source)
    return folder / f"notifcenter-{VERSION}-py3-none-any.whl"


def needed(names: list[str]) -> Iterator[Distribution]:
    """These distributions, and all that they need on this machine, once each."""
    todo, seen = list(names), set()
    while todo:
        requirement = Requirement(todo.pop())
        key = (requirement.name.lower().replace("_", "-"), *sorted(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        found = distribution(requirement.name)
        for one in map(Requirement, found.requires or []):
            extras = requirement.extras or {""}
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(f"{one.name}[{','.join(one.extras)}]" if one.extras else one.name)
        yield found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and links to what it says it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    packages = folder / PURELIB
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder / "bin" / "python",
        "--disable-pip-version-check",
    ]
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder)
    (metadata,) = packages.glob("notifcenter-*.dist-info")
    runtime = [line for line in Distribution.at(metadata).requires or [] if "extra ==" not in line]
    for one in needed(runtime):
        for top in {Path(str(file)).parts[0] for file in one.files or []} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(one.locate_file(top))))
    return folder


def test_the_wheel_holds_all_that_is_not_code_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    listed = run("git", "ls-files", "templates", "static", "locale", cwd=ROOT).splitlines()
    assert {f"notifcenter/{name}" for name in listed} <= inside
    tops = {name.partition("/")[0] for name in inside}
    assert tops == {
        "accounts",
        "notifcenter",
        "notifications",
        "preferences",
        f"notifcenter-{VERSION}.dist-info",
    }
    assert "notifications/sources/frameworks/capture.sql" in inside
    assert f"notifcenter-{VERSION}.dist-info/licenses/LICENSE" in inside


@pytest.mark.django_db
def test_it_works_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    command, python = installed / "bin" / "notifcenter", installed / "bin" / "python"
    with another_database("notifcenter_installed") as name:
        env = environment(DATABASE_URL=database_url(name), NOTIFCENTER_DATA_DIR=str(tmp_path / "data"))
        env.pop("PYTHONPATH", None)
        env.pop("DJANGO_SETTINGS_MODULE", None)
        (tmp_path / "data").mkdir()
        assert run(command, "--version", cwd=tmp_path, env=env) == f"{VERSION}\n"
        run(command, "migrate", "--verbosity", "0", cwd=tmp_path, env=env)
        run(command, "check", cwd=tmp_path, env=env)
        run(command, "migrate", "--check", cwd=tmp_path, env=env)
        code = "import notifcenter.settings as s, pytest"
        alone = subprocess.run([python, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert "No module named 'pytest'" in alone.stderr  # what the tests need is not within reach

        port = free_port()
        url = f"http://127.0.0.1:{port}/"
        web = [str(python), "-m", "daphne", "-p", str(port), "notifcenter.asgi:application"]
        with running(web, tmp_path / "web.log", env, cwd=tmp_path) as process:
            wait_for(lambda: process.popen.poll() is not None or answers(port), what="it listens")
            assert process.popen.poll() is None, process.log
            page = fetch(urljoin(url, "accounts/login/")).decode()
            files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
            assert files
            for file in files:
                assert fetch(urljoin(url, file))
            assert b"import" in fetch(urljoin(url, "static/notifcenter/define.js"))
        shown = "from django.utils import translation as t; t.activate('zh-hans'); print(t.gettext('Open'))"
        assert (
            run(command, "shell", "--no-imports", "--command", shown, cwd=tmp_path, env=env).strip() == "打开"
        )


def fetch(url: str) -> bytes:
    with urlopen(url, timeout=30) as answer:
        found: bytes = answer.read()
        return found
