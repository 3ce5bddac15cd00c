"""Both ways with the real Alertmanager: its webhook posts to a real web process of ours, and we post to it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from notifications.delivery import sender
from notifications.delivery.backoff import Breaker
from notifications.models import Delivery, Notification
from preferences.kinds import Channel
from preferences.models import SiteSettings
from tests import processes
from tests.alertmanager import TOKEN, alertmanager, call, fire, needs_alertmanager
from tests.asgi.conftest import socket
from tests.cluster import asking, submit, update
from tests.deliveries import make_due, reloaded
from tests.processes import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), needs_alertmanager]
DEPLOY = processes.ROOT / "deploy" / "alertmanager"


@pytest.fixture(scope="module")
def stage(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, processes.Process, str]]:
    """A web process, its address first, and an Alertmanager that posts to it; a poller is at work."""
    folder = tmp_path_factory.mktemp("alertmanager")
    with (
        django_db_blocker.unblock(),
        processes.daphne(folder, INGEST_TOKEN=TOKEN) as (url, web),
        alertmanager(folder, url) as address,
        processes.poller(folder, ALERTMANAGER_URL=address),
    ):
        yield url, web, address


def alerts() -> list[Notification]:
    return list(Notification.objects.filter(event="alert").order_by("id"))


class TestIn:
    def test_an_alert_comes_once_and_goes(
        self, stage: tuple[str, processes.Process, str], alice: User
    ) -> None:
        url, web, address = stage
        submitted = submit("bert")
        with socket(url, alice) as browser:
            browser.frame("hello")
            fire(address, username="alice", job_name="alice~bert", instance="gpu-07")
            pushed = browser.frame("notification")["notification"]
            assert (pushed["event"], pushed["title"]) == ("alert", "GPUs are idle")
            assert pushed["job"]["name"] == "bert"
            assert pushed["details"]["reason"] == "Less than 10 % for an hour."
            assert pushed["details"]["labels"]["instance"] == "gpu-07"
            assert pushed["job"]["framework"] == "", "the job is younger than the alert"
            assert submitted
            before = web.log.count("alerts received")
            fire(address, username="alice", job_name="alice~bert", instance="gpu-07")
            fire(address, username="alice", job_name="alice~bert", instance="gpu-08")  # the same group
            browser.frame("notification")
            wait_for(lambda: web.log.count("alerts received") > before)
            fire(address, minutes=-1, username="alice", job_name="alice~bert", instance="gpu-07")
            state = browser.frame("state")
            assert state["unread"] == 2
        first, second = alerts()
        assert "resolved_at" in first.details
        assert "resolved_at" not in second.details
        assert first.details["lasted_seconds"] > 28 * 60
        assert list(Delivery.objects.values_list("notification_id", "channel")) == [
            (first.pk, "email"),
            (second.pk, "email"),
        ]

    def test_one_without_an_owner_is_for_the_admins_if_they_say_so(
        self, stage: tuple[str, processes.Process, str], alice: User, root: User
    ) -> None:
        _, web, address = stage
        before = web.log.count("alerts ignored=1")
        fire(address, instance="node-1")
        wait_for(lambda: web.log.count("alerts ignored=1") > before)
        SiteSettings.objects.create(ownerless_alerts_to_admins=True)
        fire(address, instance="node-2")
        wait_for(alerts)
        assert {one.user for one in alerts()} == {root}


class TestOut:
    @pytest.fixture(autouse=True)
    def _to_the_alertmanager(
        self, settings: Settings, stage: tuple[str, processes.Process, str], breaker: Breaker
    ) -> None:
        settings.ALERTMANAGER_URL = stage[2]

    def test_a_jobs_event_is_seen_there_and_does_not_come_back(
        self, stage: tuple[str, processes.Process, str], alice: User
    ) -> None:
        _, web, address = stage
        before = web.log.count("is told from the cluster's database already")
        delivery = failed_job("resnet50-out", alice)
        sender.deliver_once()
        assert reloaded(delivery).state == "sent", reloaded(delivery).last_error
        [seen] = listed(address, "resnet50-out")
        assert seen["labels"] == {
            "alertname": "PAIJobStatusChange",
            "severity": "warn",
            "job_name": "resnet50-out",
            "username": "alice",
            "state": "FAILED",
            "retries": "0",
        }
        assert seen["annotations"]["summary"].startswith("resnet50-out failed")
        wait_for(lambda: web.log.count("is told from the cluster's database already") > before)
        assert alerts() == []

    def test_an_alertmanager_that_is_down_gets_it_later(
        self, settings: Settings, tmp_path: Path, alice: User, breaker: Breaker
    ) -> None:
        port = processes.free_port()
        settings.ALERTMANAGER_URL = f"http://127.0.0.1:{port}"
        delivery = failed_job("resnet50-late", alice)
        sender.deliver_once()
        waits = reloaded(delivery)
        assert (waits.state, waits.refusals) == ("retry", 0)
        assert "cannot be reached" in waits.last_error
        with alertmanager(tmp_path, "http://127.0.0.1:1", port) as address:
            make_due(delivery)
            breaker.closed(Channel.ALERTMANAGER)
            sender.deliver_once()
            assert reloaded(delivery).state == "sent"
            assert listed(address, "resnet50-late")


def failed_job(job: str, user: User) -> Delivery:
    """The delivery to the cluster of a job that has failed."""
    name = submit(job, user.username, **asking("Failed"))
    update(name, state="FAILED")
    made = Delivery.objects.filter(channel=Channel.ALERTMANAGER, notification__framework_name=name)
    wait_for(made.exists)
    return made.get()


def listed(address: str, job: str) -> list[dict[str, Any]]:
    return [one for one in call(f"{address}/api/v2/alerts")[1] if one["labels"].get("job_name") == job]


class TestDeployed:
    def test_the_sample_is_one_that_alertmanager_accepts(self) -> None:
        checked = subprocess.run(
            ["amtool", "check-config", str(DEPLOY / "alertmanager.yml")], capture_output=True, text=True
        )
        assert checked.returncode == 0, checked.stderr
        assert "2 receivers" in checked.stdout

    def test_the_fragment_is_what_the_sample_adds(self) -> None:
        files = [DEPLOY / "fragment.yml", DEPLOY / "alertmanager.yml"]
        fragment, sample = (yaml.safe_load(file.read_text()) for file in files)
        assert fragment["route"]["routes"] == sample["route"]["routes"]
        assert fragment["receivers"] == sample["receivers"][1:]
