"""Why a job or an attempt ended, from what the cluster writes to what is stored with the notification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from notifications.models import CapturedChange, Notification
from notifications.poller import Poller
from notifications.sources.frameworks import capture, changes
from notifications.sources.frameworks.demo.cluster import Cluster
from notifications.sources.frameworks.demo.failures import IMAGE_MISSING, OWN, PLATFORM
from notifications.sources.frameworks.demo.jobs import Exit, Job, Request, Role
from tests.clients import client_of
from tests.cluster import ALL_EVENTS, submit, update
from tests.database import sql
from tests.pollers import drain, look_after, start_poller

pytestmark = pytest.mark.django_db

WISHES = {"running": True, "succeeded": True, "failed": True, "stopped": True, "retried": True}
SECRETS = (
    "dockerSecretDef",
    "configSecretDef",
    "userExtensionSecretDef",
    "tokenSecretDef",
    "priorityClassDef",
)
EVICTED = next(exit for exit in PLATFORM if exit.code == -1000)
OUT_OF_MEMORY = next(exit for exit in OWN if exit.code == 226)


@pytest.fixture
def cluster(alice: User) -> Cluster:
    return Cluster(connection, seed=1)


def job_of(cluster: Cluster, *roles: Role) -> Job:
    return cluster.submit(
        Request("alice", "resnet50-lr3", roles or (Role("worker", 4),), wishes=WISHES, max_retries=3)
    )


def retried(cluster: Cluster, job: Job, ending: Exit | None = EVICTED, times: int = 1) -> None:
    """The attempt runs, ends, and the next one begins to wait."""
    cluster.update_status(job, "AttemptPreparing")
    cluster.update_status(job, "AttemptRunning")
    if ending:
        cluster.update_status(job, "AttemptCompleted", ending)
    cluster.retry(job, times)


def details_of(event: str, ordinal: int = 0) -> dict[str, Any]:
    details: dict[str, Any] = Notification.objects.get(event=event, ordinal=ordinal).details
    return details


class TestRetries:
    def test_a_retry_tells_how_the_attempt_before_it_ended(self, cluster: Cluster) -> None:
        job = job_of(cluster)
        retried(cluster, job)
        drain()
        details = details_of("retried", 1)
        assert details["exit_code"] == -1000
        assert details["phrase"] == "PodEvicted"
        assert details["causer"] == "platform"
        assert details["task"] == "worker[3]"
        assert details["output"].endswith("The node was low on resource: memory.")
        assert details["solutions"][0] == "Wait: the cluster tries again by itself."
        assert (details["attempt"], details["max_attempts"], details["retries"]) == (1, 4, 1)
        assert details["gpus"] == 4
        assert details["waited_seconds"] >= 0
        assert details["ran_seconds"] >= 0

    def test_each_of_several_retries_tells_of_its_own_attempt_also_when_all_is_read_at_the_end(
        self, cluster: Cluster
    ) -> None:
        job = job_of(cluster)
        for ending in PLATFORM[:2]:
            retried(cluster, job, ending)
        cluster.update_status(job, "AttemptRunning")
        cluster.update_status(job, "Completed", OUT_OF_MEMORY)
        drain()
        told = [
            (n.event, n.ordinal, n.details["exit_code"], n.details["attempt"], n.details["retries"])
            for n in Notification.objects.exclude(event="running").order_by("id")
        ]
        assert told == [
            ("retried", 1, PLATFORM[0].code, 1, 1),
            ("retried", 2, PLATFORM[1].code, 2, 2),
            ("failed", 0, 226, 3, 2),
        ]

    def test_of_several_retries_at_once_the_first_attempt_is_known(self, cluster: Cluster) -> None:
        job = job_of(cluster)
        retried(cluster, job, times=3)
        drain()
        details = details_of("retried", 3)
        assert (details["attempt"], details["skipped"], details["exit_code"]) == (1, 2, -1000)

    def test_an_attempt_that_nobody_saw_end_is_not_explained(self, cluster: Cluster) -> None:
        job = job_of(cluster)
        retried(cluster, job, ending=None)
        drain()
        details = details_of("retried", 1)
        assert not details.keys() & {"exit_code", "why", "reason", "causer", "ran_seconds"}
        assert (details["attempt"], details["max_attempts"]) == (1, 4)

    def test_a_retry_that_a_scan_has_found_is_not_explained_by_another_attempt(
        self, cluster: Cluster
    ) -> None:
        job = job_of(cluster)
        capture.remove()
        retried(cluster, job)
        cluster.update_status(job, "Completed", OUT_OF_MEMORY)
        CapturedChange.objects.all().delete()
        capture.install()
        look_after()
        start_poller()
        details = details_of("retried", 1)
        assert "exit_code" not in details
        assert details["attempt"] == 1
        assert details_of("failed")["exit_code"] == 226

    @pytest.mark.parametrize("snapshot", [None, "", "{", "[]", "null", '{"status": 5}', "x" * 2_000_000])
    def test_a_broken_snapshot_leaves_the_exit_code_of_the_row(
        self, alice: User, snapshot: str | None
    ) -> None:
        name = submit(state="RUNNING", **ALL_EVENTS)
        update(name, snapshot=snapshot, appExitCode=-1001)
        update(name, state="WAITING", retries=1, appExitCode=None)
        drain()
        details = details_of("retried", 1)
        assert details["exit_code"] == -1001
        assert details["why"] == "its node was lost"

    def test_of_a_job_with_many_tasks_only_the_output_is_left_out(self, cluster: Cluster) -> None:
        job = job_of(cluster, Role("worker", 200))
        retried(cluster, job)
        kept = CapturedChange.objects.get(new_retries=1).ended_attempt
        assert kept
        assert len(kept) < capture.MAX_ATTEMPT_KEPT_BYTES
        drain()
        details = details_of("retried", 1)
        assert details["task"] == "worker[199]"
        assert details["why"] == "evicted from its node"
        assert "ran_seconds" in details
        assert "output" not in details

    def test_only_a_retry_makes_the_trigger_look_at_the_snapshot(self, cluster: Cluster) -> None:
        job = job_of(cluster)
        retried(cluster, job)
        cluster.update_status(job, "Completed", OUT_OF_MEMORY)
        kept = dict(CapturedChange.objects.values_list("new_state", "ended_attempt").filter(new_retries=0))
        assert set(kept.values()) == {None}

    def test_a_change_that_was_put_aside_keeps_what_it_knew(self, cluster: Cluster) -> None:
        job = job_of(cluster)
        retried(cluster, job)
        sql("ALTER TABLE notifications_notification ADD CONSTRAINT refused CHECK (event <> 'retried')")
        drain()
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql("ALTER TABLE notifications_notification DROP CONSTRAINT refused")
        assert not Notification.objects.filter(event="retried").exists()
        failed = sql("SELECT id FROM notifications_failedchange")
        assert changes.try_again([id for (id,) in failed]) == 1
        drain()
        assert details_of("retried", 1)["exit_code"] == -1000


class TestTheClustersOwnSpecification:
    @pytest.fixture
    def spec(self, tmp_path: Path, settings: Settings) -> Path:
        path = tmp_path / "spec.yaml"
        path.write_text(
            "spec: [{code: 226, phrase: ContainerCudaOOMKilled, reason: First edition, type: PLATFORM_FAILURE}]"
        )
        settings.PAI_EXIT_SPEC = str(path)
        return path

    def test_it_goes_first_and_an_edit_counts_for_what_happens_from_then_on(
        self, cluster: Cluster, spec: Path
    ) -> None:
        poller = Poller()
        reasons: list[tuple[str, str, str]] = []
        for text in (None, "spec: [{code: 226, phrase: ContainerCudaOOMKilled, reason: Second}]", "spec: ["):
            if text:
                spec.write_text(text)
            job = cluster.submit(Request("alice", f"job-{len(reasons)}", wishes=WISHES))
            cluster.update_status(job, "AttemptRunning")
            cluster.update_status(job, "Completed", OUT_OF_MEMORY)
            while poller.run_once():
                pass
            details = Notification.objects.filter(event="failed").latest("id").details
            reasons.append((details["reason"], details["causer"], details["why"]))
        assert reasons == [
            ("First edition", "platform", "out of GPU memory"),
            ("Second", "user", "out of GPU memory"),
            ("Second", "user", "out of GPU memory"),
        ]


class TestSecrets:
    """Neither the poller nor a page may ask for the columns with secrets, nor for all columns."""

    def live(self, cluster: Cluster, browser: Client) -> None:
        job = job_of(cluster)
        retried(cluster, job)
        cluster.update_status(job, "AttemptRunning")
        cluster.update_status(job, "Completed", OUT_OF_MEMORY)
        missing = cluster.submit(Request("alice", "missing", wishes=WISHES))
        cluster.update_status(missing, "Completed", IMAGE_MISSING)
        start_poller()
        for path in ("/", "/jobs/", f"/jobs/{job.name}/", "/api/v1/notifications/", "/api/v1/jobs/"):
            assert browser.get(path).status_code == 200
        assert browser.get(f"/api/v1/jobs/{job.name}/notification-config/").status_code == 200
        assert Notification.objects.filter(event="failed").count() == 2

    def test_no_statement_names_them(self, cluster: Cluster, alice: User) -> None:
        browser = client_of(alice)
        with CaptureQueriesContext(connection) as queries:
            self.live(cluster, browser)
        ours = [q["sql"] for q in queries if "dummy of the demo" not in q["sql"]]  # the cluster's own INSERT
        assert any('"snapshot"' in one or "snapshot FROM" in one for one in ours)
        for one in ours:
            assert not [secret for secret in SECRETS if secret.lower() in one.lower()]

    def test_the_database_would_refuse_them_and_nobody_notices(self, cluster: Cluster, alice: User) -> None:
        """All goes well for a role that may read every column but these."""
        browser = client_of(alice)
        sql("CREATE ROLE notifcenter_reader")
        sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO notifcenter_reader")
        sql("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO notifcenter_reader")
        sql("REVOKE SELECT ON frameworks FROM notifcenter_reader")
        readable = [
            f'"{name}"'
            for (name,) in sql(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'frameworks'::regclass AND attnum > 0 "
                "AND NOT attisdropped"
            )
            if name not in SECRETS
        ]
        sql(f"GRANT SELECT ({', '.join(readable)}) ON frameworks TO notifcenter_reader")
        sql("SET ROLE notifcenter_reader")
        self.live(cluster, browser)
        with pytest.raises(Exception, match="permission denied"):
            sql("SELECT * FROM frameworks")

    def test_nothing_of_the_snapshot_but_what_is_shown_is_stored(self, cluster: Cluster, alice: User) -> None:
        name = submit(state="RUNNING", **ALL_EVENTS)
        framework = {
            "metadata": {"annotations": {"token": "hunter2"}},
            "spec": {"taskRoles": [{"name": "worker", "env": "hunter2"}], "secret": "hunter2"},
            "status": {
                "secret": "hunter2",
                "attemptStatus": {
                    "completionStatus": {"code": 254, "phrase": "ContainerImageNotExists", "x": "hunter2"}
                },
            },
        }
        update(name, state="FAILED", snapshot=json.dumps(framework))
        drain()
        stored = sql("SELECT row_to_json(n)::text FROM notifications_notification n")
        assert stored
        assert "hunter2" not in str(stored)
