"""The private PostgreSQL server killed with SIGKILL while everything is at work: what was committed counts, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos import report
from tests.chaos.database import kill_database, needs_private_server
from tests.chaos.emptying import Folder
from tests.chaos.run import play

SEED = 20261127
KILLS = 5
JOBS_FOR_A_KILL = 12


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(300)
def test_everything_is_told_once_though_the_database_is_killed(
    tmp_path: Path, ledger: Callable[[str], None]
) -> None:
    needs_private_server()
    run = play(
        tmp_path,
        Folder(tmp_path),
        kills=KILLS,
        jobs_for_a_kill=JOBS_FOR_A_KILL,
        seed=SEED,
        kill=kill_database,
    )
    ledger(report.line(run))
    run.check()
