"""The job page, as a browser without script uses it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.delivery.wanted import CANCELLED, MUTED
from notifications.models import Delivery, Notification
from notifications.sources.frameworks.models import Framework
from preferences.models import JobConfig, UserPreference
from tests.clients import client_of
from tests.cluster import submit_named

HOSTILE = "<img src=x onerror=alert(1)>"
SECRETS: dict[str, Any] = dict.fromkeys(
    ["dockerSecretDef", "configSecretDef", "userExtensionSecretDef", "tokenSecretDef", "priorityClassDef"],
    "secret",
)


def told(user: User, framework: str, submitted: datetime, **columns: Any) -> Notification:
    values = {
        "event": "failed",
        "job_name": f"{user.username}~{framework}",
        "occurred_at": submitted + timedelta(minutes=5),
        **columns,
    }
    return Notification.objects.create(
        user=user, framework_name=framework, submission_time=submitted, **values
    )


def switches(submitted: datetime, **changes: str) -> dict[str, str]:
    return {"submission_time": submitted.isoformat(), "waiting_minutes": "", **changes}


class TestJobPage:
    def test_it_shows_the_facts_and_what_was_told_in_order(self, browser: Client, alice: User) -> None:
        submitted = submit_named("job1", state="FAILED", retries=2, totalGpuNumber=8, appExitCode=137)
        told(alice, "job1", submitted, event="running", in_inbox=False)
        failed = told(alice, "job1", submitted, details={"exit_code": 137})
        Delivery.objects.create(notification=failed, channel="email", state="sent")
        told(alice, "job1", submitted - timedelta(days=1), event="stopped")  # an earlier submission
        told(alice, "other", submitted, event="succeeded")
        answer = browser.get("/jobs/job1/")
        page = answer.content.decode()
        assert [(line.event, line.by) for line in answer.context["timeline"]] == [
            ("running", ()),
            ("failed", ("Web portal", "E-mail: Sent")),
        ]
        for fact in ("<h1>job1</h1>", "FAILED", "default", "alice", "137", "<dd>8</dd>", "<dd>2</dd>"):
            assert fact in page
        assert page.index("is running") < page.index("failed: exit code 137")

    @pytest.mark.parametrize(
        ("state", "error", "line"),
        [
            ("dropped", MUTED, "E-mail: Dropped (The job has been muted)"),
            ("dropped", f"{CANCELLED}root.", "E-mail: Dropped (The administrator has cancelled it)"),
            ("dropped", "", "E-mail: Dropped"),
            ("failed", "550 5.1.1 said the server", "E-mail: Failed"),
        ],
    )
    def test_it_says_why_something_was_dropped(
        self, browser: Client, alice: User, state: str, error: str, line: str
    ) -> None:
        failed = told(alice, "job1", submit_named("job1", state="FAILED"))
        Delivery.objects.create(notification=failed, channel="email", state=state, last_error=error)
        (shown,) = browser.get("/jobs/job1/").context["timeline"]
        assert shown.by == ("Web portal", line)

    def test_it_says_why_the_job_ended_and_what_to_do(self, browser: Client, alice: User) -> None:
        submitted = submit_named("job1", state="FAILED")
        told(alice, "job1", submitted, event="running")
        details = {
            "exit_code": 226,
            "reason": "The card was full.",
            "solutions": ["Use a smaller batch."],
            "task": "worker[3]",
            "output": "RuntimeError: <b>CUDA</b>",
            "diagnostics": "Pod failed",
        }
        told(alice, "job1", submitted, details=details)
        page = browser.get("/jobs/job1/").content.decode()
        for part in ("The card was full.", "Use a smaller batch.", "worker[3]", "Pod failed"):
            assert part in page
        assert "RuntimeError: &lt;b&gt;CUDA&lt;/b&gt;" in page
        assert page.count("Why, and what to do") == 1

    def test_it_draws_the_jobs_life(self, browser: Client, alice: User) -> None:
        UserPreference.objects.create(user=alice, time_zone="Asia/Tokyo")
        at = datetime(2026, 1, 2, 20, 30, tzinfo=UTC)
        ran, ended = at + timedelta(hours=1), at + timedelta(hours=4)
        submit_named("job1", at=at, state="FAILED", retries=1, launchTime=ran, completionTime=ended)
        retry = {"attempt": 1, "ran_seconds": 3600, "why": HOSTILE}
        told(alice, "job1", at, event="retried", occurred_at=at + timedelta(hours=2), details=retry)
        told(alice, "job1", at, occurred_at=ended, details={"why": "out of memory", "last_ran_seconds": 3600})
        page = browser.get("/jobs/job1/").content.decode()
        places = re.findall(r'data-kind="(\w+)" data-ending="(\w*)" x="([\d.]+)%" width="([\d.]+)%"', page)
        assert sorted(places, key=lambda place: float(place[2])) == [
            ("waiting", "", "0.0", "25.0"), ("running", "retried", "25.0", "25.0"),
            ("waiting", "", "50.0", "25.0"), ("running", "failed", "75.0", "25.0"),
        ]  # fmt: skip
        assert page.count("60 minutes") >= 4
        assert "2026-01-03 06:30:00 JST" in page
        assert "Attempt 2:" in page
        assert HOSTILE not in page

    def test_times_are_in_the_viewers_zone(self, browser: Client, alice: User) -> None:
        UserPreference.objects.create(user=alice, time_zone="Asia/Tokyo")
        submit_named("job1", at=datetime(2026, 1, 2, 20, 30, tzinfo=UTC))
        page = browser.get("/jobs/job1/").content.decode()
        assert "2026-01-03 05:30:00 JST" in page
        assert 'datetime="2026-01-03T05:30:00+09:00"' in page

    def test_the_form_sets_switches_for_this_job_alone(self, browser: Client) -> None:
        submitted = submit_named("job1")
        submit_named("job2")
        answer = browser.post(
            "/jobs/job1/",
            switches(submitted, running="on", failed="off", waiting_minutes="5", mute="for_good"),
            follow=True,
        )
        assert answer.redirect_chain == [("/jobs/job1/", 302)]
        assert "The switches of this job are saved." in answer.content.decode()
        config = JobConfig.objects.get()
        assert (config.framework_name, config.submission_time) == ("job1", submitted)
        assert config.events == {"running": True, "failed": False}
        assert (config.waiting_minutes, config.muted) == (5, True)
        assert '<option value="on" selected>' in answer.content.decode()

    def test_as_otherwise_drops_one_and_the_second_button_drops_all(self, browser: Client) -> None:
        submitted = submit_named("job1")
        browser.post("/jobs/job1/", switches(submitted, running="on", failed="off", mute="for_good"))
        browser.post("/jobs/job1/", switches(submitted, running="on", mute="for_good"))
        assert JobConfig.objects.get().events == {"running": True}
        browser.post("/jobs/job1/", switches(submitted, running="on", mute="for_good", drop="1"))
        assert not JobConfig.objects.exists()

    def test_a_mistake_is_shown_at_its_field_and_nothing_typed_is_lost(self, browser: Client) -> None:
        submitted = submit_named("job1")
        answer = browser.post("/jobs/job1/", switches(submitted, waiting_minutes="-3", running="on"))
        page = answer.content.decode()
        assert list(answer.context["form"].errors) == ["waiting_minutes"]
        assert 'value="-3"' in page
        assert '<option value="on" selected>' in page
        assert not JobConfig.objects.exists()

    def test_a_form_of_an_earlier_submission_does_not_reach_the_new_one(self, browser: Client) -> None:
        earlier = submit_named("job1", at=timezone.now() - timedelta(hours=1))
        Framework.objects.filter(name="job1").delete()
        submit_named("job1")
        answer = browser.post("/jobs/job1/", switches(earlier, mute="for_good"))
        assert "submitted again" in answer.content.decode()
        assert not JobConfig.objects.exists()

    def test_a_job_that_is_gone_keeps_its_timeline(self, browser: Client, alice: User, bob: User) -> None:
        told(alice, "gone", timezone.now(), event="succeeded")
        page = browser.get("/jobs/gone/").content.decode()
        assert "no longer in the cluster" in page
        assert "succeeded" in page
        assert client_of(bob).get("/jobs/gone/").status_code == 404
        assert browser.post("/jobs/gone/", {}).status_code == 404

    def test_a_foreign_job_looks_like_an_unknown_one(self, bob: User) -> None:
        submitted = submit_named("alices")
        other = client_of(bob)
        assert other.get("/jobs/alices/").status_code == 404
        assert other.get("/jobs/nobodys/").status_code == 404
        assert other.post("/jobs/alices/", switches(submitted, mute="for_good")).status_code == 404
        assert not JobConfig.objects.exists()

    def test_an_administrator_sees_any_job_with_its_timeline(self, root: User, alice: User) -> None:
        told(alice, "alices", submit_named("alices"))
        answer = client_of(root).get("/jobs/alices/")
        assert [line.event for line in answer.context["timeline"]] == ["failed"]

    def test_a_stranger_is_sent_to_sign_in(self, db: None, client: Client) -> None:
        for url in ("/jobs/", "/jobs/job1/"):
            assert client.get(url)["Location"] == f"{reverse('login')}?next={url}"

    def test_texts_of_the_job_are_escaped(self, browser: Client, alice: User) -> None:
        file = f'extras: {{jobStatusChangeNotification: {{"{HOSTILE}": true}}}}'
        submitted = submit_named("job1", jobName=HOSTILE, virtualCluster=HOSTILE, state="<b>", jobConfig=file)
        told(alice, "job1", submitted, job_name=HOSTILE, details={"why": HOSTILE})
        for url in ("/jobs/job1/", "/jobs/"):
            page = browser.get(url).content.decode()
            assert "<img src=x" not in page
            assert "&lt;img src=x" in page

    @pytest.mark.parametrize("name", ["a" * 65, "%00", "%ff", "..%2f..%2fadmin"])
    def test_a_made_up_name_is_an_unknown_job(self, browser: Client, name: str) -> None:
        assert browser.get(f"/jobs/{name}/").status_code == 404

    def test_neither_secrets_nor_the_snapshot_are_read(self, browser: Client) -> None:
        submit_named("job1", snapshot="{}", **SECRETS)
        with CaptureQueriesContext(connection) as captured:
            browser.get("/jobs/job1/")
            browser.get("/jobs/")
        statements = "".join(query["sql"] for query in captured)
        assert "frameworks" in statements
        assert not [column for column in [*SECRETS, "snapshot"] if column in statements]


class TestMute:
    @pytest.mark.parametrize(
        ("choice", "least", "most"),
        [
            ("hour", timedelta(minutes=59), timedelta(hours=1)),
            ("tomorrow", timedelta(hours=8), timedelta(hours=33)),
        ],
    )
    def test_for_a_while(self, browser: Client, choice: str, least: timedelta, most: timedelta) -> None:
        submitted = submit_named("job1")
        browser.post("/jobs/job1/", switches(submitted, mute=choice))
        config = JobConfig.objects.get()
        assert config.muted
        assert config.muted_until is not None
        assert least <= config.muted_until - timezone.now() <= most

    def test_until_tomorrow_is_the_users_morning(self, browser: Client, alice: User) -> None:
        UserPreference.objects.create(user=alice, time_zone="Asia/Tokyo")
        browser.post("/jobs/job1/", switches(submit_named("job1"), mute="tomorrow"))
        until = JobConfig.objects.get().muted_until
        assert until is not None
        assert (until.hour, until.minute) == (23, 0)

    def test_saving_untouched_keeps_the_time(self, browser: Client) -> None:
        submitted = submit_named("job1")
        until = timezone.now() + timedelta(hours=3)
        JobConfig.objects.create(
            framework_name="job1", submission_time=submitted, muted=True, muted_until=until
        )
        page = browser.get("/jobs/job1/").content.decode()
        assert f'<option value="until" selected>Until {until:%Y-%m-%d %H:%M}</option>' in page
        browser.post("/jobs/job1/", switches(submitted, mute="until", running="on"))
        assert JobConfig.objects.get().muted_until == until

    def test_what_has_run_out_shows_nowhere_and_goes_with_the_next_change(self, browser: Client) -> None:
        submitted = submit_named("job1")
        JobConfig.objects.create(
            framework_name="job1",
            submission_time=submitted,
            muted=True,
            muted_until=timezone.now() - timedelta(seconds=1),
        )
        assert '<option value="" selected>No</option>' in browser.get("/jobs/job1/").content.decode()
        assert browser.post("/jobs/job1/", switches(submitted, mute="until")).status_code == 302
        assert not JobConfig.objects.exists()


@pytest.mark.parametrize("url", ["/jobs/", "/jobs/any/"])
def test_without_the_clusters_table_the_page_says_what_to_do(browser: Client, url: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE frameworks RENAME TO elsewhere")
    answer = browser.get(url)
    assert answer.status_code == 503
    assert "notifcenter capture check" in answer.content.decode()


@pytest.mark.parametrize("framework", ["job:0123", "alert:0123", "gone-from-the-table"])
def test_of_a_job_outside_the_table_everybody_sees_what_they_were_told(
    alice: User, bob: User, root: User, framework: str
) -> None:
    """Other schedulers may give two users' jobs one name, and an alert for all administrators is told to each."""
    submitted = timezone.now()
    told(alice, framework, submitted, event="running")
    told(bob, framework, submitted, event="failed")
    for user, other in ((alice, bob), (bob, alice)):
        page = client_of(user).get(reverse("job", args=[framework])).content.decode()
        assert f"{user.username}~{framework}" in page
        assert f"{other.username}~{framework}" not in page
    assert client_of(root).get(reverse("job", args=[framework])).status_code == 404
