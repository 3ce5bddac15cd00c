"""What a run that was killed has left behind: its programs, known by a file in the data folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

STOP_SECONDS = 10.0
SAME_START_SECONDS = 2.0
"""A process id is the same process if it also started at the same time, up to the clock's corrections."""


class AlreadyRunningError(Exception):
    """The message names the address."""


class RunFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, url: str, children: Iterable[int]) -> None:
        run = {
            "url": url,
            "runner": _identity(os.getpid()),
            "children": [identity for child in children if (identity := _identity(child))],
        }
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(run), encoding="utf-8")
        draft.replace(self._path)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def end_leftovers(self) -> None:
        """Ends the programs of a run that was killed. Raises AlreadyRunningError when it was not."""
        try:
            run = json.loads(self._path.read_text(encoding="utf-8"))
            runner, children, url = run["runner"], run["children"], run["url"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return
        if _living(runner):
            raise AlreadyRunningError(f"It is already running, on {url}; stop that one with Ctrl-C first.")
        left = [process for child in children if (process := _living(child))]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in psutil.wait_procs(left, timeout=STOP_SECONDS)[1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.remove()


def _identity(pid: int) -> list[float] | None:
    try:
        return [pid, psutil.Process(pid).create_time()]
    except psutil.NoSuchProcess:
        return None


def _living(identity: list[float]) -> psutil.Process | None:
    pid, started = int(identity[0]), identity[1]
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < SAME_START_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None
