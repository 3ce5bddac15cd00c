"""From the poller's hint to the mail: real processes, Celery between them or not."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from notifications.hints import Hinter
from notifications.models import Delivery, DeliveryState
from tests import cluster
from tests.deliveries import make_deliveries, make_delivery
from tests.processes import environment, manage, running, wait_for, worker
from tests.smtp import SmtpServer

NO_SWEEP = "600"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user() -> User:
    return User.objects.create_user("alice", "alice@example.org")


def test_a_hint_makes_a_worker_send_long_before_the_next_sweep(tmp_path: Path, user: User) -> None:
    with (
        SmtpServer() as server,
        worker(tmp_path, EMAIL_URL=server.url, NOTIFCENTER_SWEEP_SECONDS=NO_SWEEP) as process,
    ):
        hinter = Hinter()
        try:
            make_delivery(user)
            hinter.hint()
            wait_for(lambda: server.messages, what="the mail")
            assert "Task notifications.tasks.deliver_due" in process.log
        finally:
            hinter.stop()


def test_a_worker_sends_what_was_due_before_it_started(tmp_path: Path, user: User) -> None:
    make_delivery(user)
    with SmtpServer() as server, worker(tmp_path, EMAIL_URL=server.url, NOTIFCENTER_SWEEP_SECONDS=NO_SWEEP):
        wait_for(lambda: server.messages, what="the mail")


def test_a_worker_told_to_end_finishes_its_mail_and_gives_the_others_back(tmp_path: Path, user: User) -> None:
    make_deliveries(user, 100)
    with SmtpServer() as server:
        server.programme.slowness_seconds = 0.1
        with worker(tmp_path, EMAIL_URL=server.url) as process:
            wait_for(lambda: len(server.messages) >= 3, what="some mails")
            assert process.stop() == 0
        sent = Delivery.objects.filter(state=DeliveryState.SENT)
        waiting = Delivery.objects.filter(state=DeliveryState.PENDING, attempts=0)
        assert sent.count() == len(server.messages) < 20
        assert sent.count() + waiting.count() == 100


def test_with_the_pollers_broker_broken_the_sweep_sends(tmp_path: Path, user: User) -> None:
    with SmtpServer() as server:
        variables = {"EMAIL_URL": server.url, "NOTIFCENTER_DATA_DIR": str(tmp_path)}
        with worker(tmp_path, **variables, NOTIFCENTER_SWEEP_SECONDS="1"):
            asked: dict[str, Any] = cluster.asking("Failed")
            job = cluster.submit("resnet50", "alice", **asked)
            cluster.update(job, state="FAILED", snapshot=cluster.snapshot(code=-1100))
            broken = environment(**variables, CELERY_BROKER_URL="redis://127.0.0.1:1/0")
            with running(manage("poll_frameworks", "--once"), tmp_path / "poller.log", broken) as poller:
                assert poller.popen.wait(30) == 0
                assert poller.log.count("broker away") == 1
            wait_for(lambda: server.messages, what="the mail")
            wait_for(lambda: Delivery.objects.get().state == DeliveryState.SENT, what="the note of it")


def test_a_worker_that_waits_for_its_broker_ends_when_it_is_told_to(tmp_path: Path, user: User) -> None:
    make_delivery(user)
    command = [sys.executable, "-m", "celery", "-A", "notifcenter", "worker"]
    with SmtpServer() as server:
        env = environment(EMAIL_URL=server.url, CELERY_BROKER_URL="redis://127.0.0.1:1/0")
        with running(command, tmp_path / "worker.log", env) as process:
            wait_for(lambda: server.messages, what="the mail")
            process.wait_for_log("Cannot connect to redis")
            process.popen.terminate()
            wait_for(lambda: process.popen.poll() is not None, what="its end")


def test_without_its_folder_of_messages_a_worker_goes_on(tmp_path: Path, user: User) -> None:
    with SmtpServer() as server:
        variables = {"EMAIL_URL": server.url, "NOTIFCENTER_DATA_DIR": str(tmp_path)}
        with worker(tmp_path, **variables, NOTIFCENTER_SWEEP_SECONDS="1") as process:
            shutil.rmtree(tmp_path / "celery" / "queue")
            make_delivery(user)
            wait_for(lambda: server.messages, what="the mail")
            assert process.stop() == 0
            assert "Traceback" not in process.log
