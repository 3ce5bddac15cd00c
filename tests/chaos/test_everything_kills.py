"""Pollers, workers and web processes killed with SIGKILL while the cluster writes, mails go out, and both the mail
server and the broker misbehave."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos import report
from tests.chaos.emptying import EmptiedRedis, Folder
from tests.chaos.run import play

SEED = 20261122
KILLS = 10
"""With each of the brokers."""
JOBS_FOR_A_KILL = 12


@pytest.mark.parametrize("broker", [Folder, EmptiedRedis])
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(300)
def test_everything_is_told_once_and_mailed_whatever_is_killed(
    broker: type[Folder | EmptiedRedis], tmp_path: Path, ledger: Callable[[str], None]
) -> None:
    with closing(broker(tmp_path)) as opened:
        run = play(tmp_path, opened, kills=KILLS, jobs_for_a_kill=JOBS_FOR_A_KILL, seed=SEED)
    ledger(report.line(run))
    run.check()
