"""The broker is a hint: with a real one that is away, frozen or started again empty, every mail goes out once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from preferences.models import UserPreference
from tests import cluster
from tests.brokers import Broker, RabbitMQ, Redis
from tests.processes import Process, environment, poller, running, wait_for
from tests.smtp import SmtpServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

SOON_SECONDS = 60
HINT = "Task notifications.tasks.deliver_due"
WORKER = [sys.executable, "-m", "celery", "-A", "notifcenter", "worker", "--loglevel", "INFO"]


class Site:
    """A cluster with one user, a poller and a worker."""

    def __init__(self, server: SmtpServer, worker: Process) -> None:
        self.server, self.worker = server, worker
        self._numbers = count(1)

    def a_job_fails_and_its_mail_arrives(self) -> None:
        number = next(self._numbers)
        asked: dict[str, Any] = cluster.asking("Failed")
        job = cluster.submit(f"job-{number}", "alice", **asked)
        cluster.update(job, state="FAILED", snapshot=cluster.snapshot(code=-1100))
        wait_for(lambda: len(self.server.messages) == number, seconds=SOON_SECONDS, what=f"mail {number}")

    def hints_arrive(self) -> None:
        """Not each one: what was published while the connection was broken is lost."""
        before = self.worker.log.count(HINT)

        def one_more() -> bool:
            self.a_job_fails_and_its_mail_arrives()
            return self.worker.log.count(HINT) > before

        wait_for(one_more, seconds=SOON_SECONDS, what="a hint")

    def ends_well(self) -> None:
        assert self.worker.stop() == 0
        assert set(self.server.counts().values()) == {1}


@pytest.fixture(params=[Redis, RabbitMQ])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    with closing(request.param(tmp_path)) as made:
        yield made


def test_mails_go_out_whatever_happens_to_the_broker(broker: Broker, tmp_path: Path) -> None:
    alice = User.objects.create_user("alice", "alice@example.org")
    UserPreference.objects.create(user=alice, bundling_minutes=0)
    with SmtpServer() as server:
        variables = {
            "EMAIL_URL": server.url,
            "CELERY_BROKER_URL": broker.url,
            "NOTIFCENTER_DATA_DIR": str(tmp_path),
            "NOTIFCENTER_SWEEP_SECONDS": "1",
        }
        with (
            running(WORKER, tmp_path / "worker.log", environment(**variables)) as worker,
            poller(tmp_path, **variables),
        ):
            site = Site(server, worker)
            site.a_job_fails_and_its_mail_arrives()  # there is no broker yet
            broker.start()
            worker.wait_for_log("ready.")
            site.hints_arrive()
            broker.freeze()
            site.a_job_fails_and_its_mail_arrives()
            broker.thaw()
            broker.stop()
            site.a_job_fails_and_its_mail_arrives()
            broker.start()
            site.hints_arrive()
            site.ends_well()
