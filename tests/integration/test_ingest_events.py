"""What another scheduler tells of its jobs: taken once, checked field by field, told like any job's events."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from datetime import timezone as dt_timezone
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from notifications.models import Delivery, Notification, Received
from notifications.sources.ingest.names import framework_of
from tests import processes
from tests.clients import client_of, get
from tests.inbox import LIST
from tests.pollers import drain
from tests.processes import wait_for
from tests.wishes import everybody_wants_everything

pytestmark = pytest.mark.django_db
URL = "/api/v1/ingest/events/"
TOKEN = "a-token-that-only-the-tests-know"
SCRIPT = processes.ROOT / "deploy" / "slurm" / "notifcenter.sh"


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> None:
    settings.INGEST_TOKEN = TOKEN


def post(body: Any = None, /, **fields: Any) -> Any:
    whole = (
        {"job": "slurm/7 train", "username": "alice", "event": "failed", **fields} if body is None else body
    )
    return Client().post(URL, whole, "application/json", headers={"Authorization": f"Bearer {TOKEN}"})


def told() -> list[tuple[str, int]]:
    drain()
    return list(Notification.objects.order_by("id").values_list("event", "ordinal"))


class TestOnce:
    def test_the_answer_says_whether_it_is_new(self, alice: User) -> None:
        first, again = post(), post()
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == {"job": "slurm/7 train", "event": "failed", "ordinal": 0, "new": True}
        assert again.json()["new"] is False
        assert told() == [("failed", 0)]
        assert post(message="another text").status_code == 200, "also when it was taken already"
        assert told() == [("failed", 0)]

    def test_job_event_and_ordinal_make_the_difference(self, alice: User) -> None:
        everybody_wants_everything()
        for fields in (
            {"event": "running"}, {"event": "retried", "ordinal": 1}, {"event": "retried", "ordinal": 2},
            {"job": "slurm/8"},
        ):  # fmt: skip
            assert post(**fields).status_code == 201
        assert told() == [("running", 0), ("retried", 1), ("retried", 2), ("failed", 0)]

    def test_another_users_job_of_the_same_name_is_a_conflict_and_nothing_is_lost_in_silence(self) -> None:
        post()
        answer = post(username="bob")
        assert answer.status_code == 409
        assert "name of its own" in answer.json()["detail"]

    def test_an_event_that_nobody_wants_is_remembered_too(self, alice: User) -> None:
        assert post(event="running").status_code == 201
        assert told() == []
        everybody_wants_everything()
        assert post(event="running").status_code == 200
        assert told() == []


class TestTold:
    def test_by_the_owners_defaults_through_the_owners_channels(self, alice: User) -> None:
        post(message="out of memory\x00\n in step 3", url="https://slurm.example.org/job/7")
        drain()
        [shown] = get(client_of(alice), LIST)["results"]
        assert shown["title"] == "slurm/7 train failed: out of memory in step 3"
        assert "reason" not in shown["details"], "it stands in the title"
        assert shown["url"] == "https://slurm.example.org/job/7"
        assert Delivery.objects.get().channel == "email"

    def test_its_page_shows_what_was_told_to_its_owner_only(self, alice: User, bob: User, root: User) -> None:
        post()
        drain()
        [shown] = get(client_of(alice), LIST)["results"]
        path = "/jobs/" + shown["url"].rpartition("/jobs/")[2]
        page = client_of(alice).get(path)
        assert page.status_code == 200
        assert "slurm/7 train failed" in page.content.decode()
        assert "another scheduler" in page.content.decode()
        assert client_of(bob).get(path).status_code == 404
        assert client_of(alice).get("/jobs/").status_code == 200
        assert get(client_of(alice), "/api/v1/jobs/")["results"] == []
        config = f"/api/v1/jobs/{framework_of('slurm/7 train')}/notification-config/"
        assert client_of(alice).get(config).status_code == 404

    def test_a_long_message_is_the_reason(self, alice: User) -> None:
        post(message="m" * 1000)
        drain()
        [shown] = get(client_of(alice), LIST)["results"]
        assert shown["title"] == "slurm/7 train failed"
        assert shown["details"]["reason"] == "m" * 1000

    def test_when_it_happened(self, alice: User) -> None:
        at = timezone.now() - timedelta(hours=3)
        post(occurred_at=at.isoformat())
        drain()
        assert Notification.objects.get().occurred_at == at

    def test_an_offset_that_postgresql_does_not_know(self, alice: User) -> None:
        at = timezone.now()
        post(occurred_at=at.astimezone(dt_timezone(timedelta(hours=23))).isoformat())
        drain()
        assert Notification.objects.get().occurred_at == at


class TestChecked:
    @pytest.mark.parametrize(
        ("fields", "field", "reason"),
        [
            ({"job": ""}, "job", "blank"),
            ({"job": "\x00\n"}, "job", "blank"),
            ({"job": 7}, "job", "string"),
            ({"job": "j" * 257}, "job", "256"),
            ({"username": "../admin"}, "username", "no valid user name"),
            ({"username": "a" * 151}, "username", "150"),
            ({"username": None}, "username", "null"),
            ({"event": "alert"}, "event", "Must be one of"),
            ({"event": "exploded"}, "event", "Must be one of"),
            ({"ordinal": -1}, "ordinal", "0"),
            ({"ordinal": "1"}, "ordinal", "whole number"),
            ({"ordinal": True}, "ordinal", "whole number"),
            ({"ordinal": 10**12}, "ordinal", "1000000"),
            ({"event": "retried"}, "ordinal", "1 for the first"),
            ({"occurred_at": "2026-11-22T09:00:00"}, "occurred_at", "offset"),
            ({"occurred_at": 5}, "occurred_at", "offset"),
            ({"occurred_at": "9999-01-01T00:00:00Z"}, "occurred_at", "future"),
            ({"occurred_at": "1999-01-01T00:00:00Z"}, "occurred_at", "30 days"),
            ({"message": ["x"]}, "message", "string"),
            ({"message": "x" * 1001}, "message", "1000"),
            ({"url": "javascript:alert(1)"}, "url", "https://"),
            ({"url": "https://a\nb"}, "url", "https://"),
            ({"jobs": "x"}, "jobs", "no such field"),
            ({"event": "\ud800"}, "event", "running, succeeded"),
        ],
    )
    def test_a_mistake_is_named_by_its_field(self, fields: dict[str, Any], field: str, reason: str) -> None:
        answer = post(**fields)
        assert answer.status_code == 400
        assert list(answer.json()) == [field]
        assert reason in str(answer.json()[field])
        assert not Received.objects.exists()

    @pytest.mark.parametrize("body", [[], 3, "text", {}])
    def test_another_body(self, body: Any) -> None:
        assert post(body).status_code == 400

    def test_another_token(self) -> None:
        assert Client().post(URL, {}, "application/json").status_code == 401


@pytest.mark.django_db(transaction=True)
class TestSlurm:
    """The script of deploy/slurm, as Slurm's controller would run it, at a real web process."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> Any:
        with processes.daphne(tmp_path, INGEST_TOKEN=TOKEN) as (url, _):
            yield url

    def run(self, folder: Path, url: str, **variables: str) -> subprocess.CompletedProcess[str]:
        conf = folder / "notifcenter.conf"
        conf.write_text(
            f"NOTIFCENTER_URL={url}\nINGEST_TOKEN={TOKEN}\nSLURM_JOB_PAGE=https://slurm.example.org/job/\n"
        )
        slurm = {
            "SLURM_JOB_ID": "4711",
            "SLURM_JOB_NAME": 'train "big"\\n\n',
            "SLURM_JOB_USER": "alice",
            "SLURM_CLUSTER_NAME": "hpc",
            "NOTIFCENTER_CONF": str(conf),
            **variables,
        }
        return subprocess.run(
            ["bash", str(SCRIPT)], env={**os.environ, **slurm}, capture_output=True, text=True, timeout=60
        )

    def test_a_life_with_a_requeue(self, tmp_path: Path, url: str, alice: User) -> None:
        everybody_wants_everything()
        prolog, epilog = (
            {"SLURM_SCRIPT_CONTEXT": "prolog_slurmctld"},
            {"SLURM_SCRIPT_CONTEXT": "epilog_slurmctld"},
        )
        again = {"SLURM_JOB_RESTART_COUNT": "1"}
        runs = [
            prolog,
            {**epilog, "SLURM_JOB_EXIT_CODE2": "137:0"},
            {**prolog, **again},
            {**epilog, **again, "SLURM_JOB_EXIT_CODE2": "0:15"},
            {**epilog, **again, "SLURM_JOB_EXIT_CODE2": "0:15"},
            {**epilog, "SLURM_JOB_ID": "4712", "SLURM_JOB_EXIT_CODE2": "0:0"},
            {**epilog, "SLURM_JOB_ID": "4713", "SLURM_JOB_EXIT_CODE2": "0:11"},
        ]
        for variables in runs:
            done = self.run(tmp_path, url, **variables)
            assert (done.returncode, done.stderr) == (0, "")
        with processes.poller(tmp_path):
            wait_for(lambda: Notification.objects.count() == 6)
        assert told() == [
            ("running", 0), ("failed", 0), ("retried", 1), ("stopped", 1), ("succeeded", 0), ("failed", 0),
        ]  # fmt: skip
        failed = Notification.objects.filter(event="failed").order_by("id")
        assert failed[0].job_name == 'hpc/4711 train "big"\\n'
        assert failed[0].details["why"] == "exit code 137"
        assert failed[0].details["url"] == "https://slurm.example.org/job/4711"
        assert failed[1].details["why"] == "ended by signal 11"

    def test_it_says_what_went_wrong_and_never_fails(self, tmp_path: Path, url: str) -> None:
        refused = self.run(tmp_path, url, SLURM_JOB_USER="no body", SLURM_JOB_EXIT_CODE2="1:0")
        assert refused.returncode == 0
        assert "job 4711: failed could not be reported" in refused.stderr
        assert TOKEN not in refused.stderr
        absent = self.run(tmp_path, url, SLURM_JOB_ID="")
        assert (absent.returncode, "are needed" in absent.stderr) == (0, True)
