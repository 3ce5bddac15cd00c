"""The long run, by `make chaos`: its table goes to the screen and to .data/chaos.md."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos import report
from tests.chaos.database import VICTIMS, kill_database, needs_private_server
from tests.chaos.emptying import EmptiedRedis, Folder
from tests.chaos.run import Kill, Run, anything, play
from tests.processes import ROOT

SEED = 20261126
KILLS = 100
"""With each of the brokers."""
KILLS_OF_THE_DATABASE = 40
JOBS_FOR_A_KILL = 12
TABLE = ROOT / ".data" / "chaos.md"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1_200)]

_runs: list[Run] = []


def _play(
    opened: Folder | EmptiedRedis, folder: Path, kills: int, kill: Kill = anything, *, name: str = ""
) -> Run:
    run = play(
        folder,
        opened,
        kills=kills,
        jobs_for_a_kill=JOBS_FOR_A_KILL,
        seed=SEED,
        kill=kill,
        say=sys.stderr.write,
    )
    run.name = name or run.name
    _runs.append(run)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(report.table(_runs), encoding="utf-8")
    sys.stderr.write(f"\n{report.line(run)}\n{report.table(_runs)}")
    run.check()
    return run


@pytest.mark.parametrize("broker", [Folder, EmptiedRedis])
def test_everything_is_killed(broker: Callable[[Path], Folder | EmptiedRedis], tmp_path: Path) -> None:
    with closing(broker(tmp_path)) as opened:
        run = _play(opened, tmp_path, KILLS)
    assert not run.not_met()


def test_the_database_is_killed(tmp_path: Path) -> None:
    needs_private_server()
    run = _play(Folder(tmp_path), tmp_path, KILLS_OF_THE_DATABASE, kill_database, name="PostgreSQL killed")
    assert len(run.site.kills) == len(VICTIMS)
