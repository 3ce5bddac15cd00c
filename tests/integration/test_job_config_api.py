"""/api/v1/jobs/<framework>/notification-config/."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from notifications.sources.frameworks.models import Framework
from preferences.models import JobConfig, SiteSettings, UserPreference
from preferences.signals import wishes_changed
from tests.clients import JOBS, client_of, config_url, send
from tests.cluster import submit_named
from tests.signals import Heard, listening

FILE_ASKS_FOR_SUCCEEDED = """
extras:
  jobStatusChangeNotification:
    succeeded: true
    failed: "perhaps"
    waitingTooLong: 120
"""


def patch(client: Client, framework: str, body: Any) -> Any:
    return client.patch(config_url(framework), json.dumps(body), content_type="application/json")


def sources(config: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    return {event: (wish["wanted"], wish["source"]) for event, wish in config["events"].items()}


class TestConfig:
    def test_a_job_that_says_nothing_follows_the_site(self, browser: Client) -> None:
        submitted = submit_named("quiet")
        config = browser.get(config_url("quiet")).json()
        assert config["framework"] == "quiet"
        assert config["submission_time"] == submitted.isoformat().replace("+00:00", "Z")
        assert sources(config) == {
            "running": (False, "site"),
            "succeeded": (False, "site"),
            "failed": (True, "site"),
            "stopped": (False, "site"),
            "retried": (False, "site"),
            "waiting_too_long": (True, "site"),
        }
        assert (config["waiting_minutes"], config["waiting_minutes_source"]) == (60, "site")
        assert (config["muted"], config["warnings"]) == (False, [])

    def test_each_level_goes_before_the_next(self, browser: Client, alice: User) -> None:
        UserPreference.objects.create(user=alice, default_events=["failed"], waiting_minutes=30)
        submit_named("levels", jobConfig=FILE_ASKS_FOR_SUCCEEDED, notificationAtRetried=True)
        config = patch(browser, "levels", {"events": {"running": True}, "waiting_minutes": 5}).json()
        assert config == browser.get(config_url("levels")).json()
        assert sources(config) == {
            "running": (True, "override"),
            "succeeded": (True, "job_file"),
            "failed": (True, "owner"),
            "stopped": (False, "job_file"),
            "retried": (True, "job_file"),
            "waiting_too_long": (True, "job_file"),
        }
        assert (config["waiting_minutes"], config["waiting_minutes_source"]) == (5, "override")
        assert config["warnings"] == ["`failed` must be true or false; ignored."]
        config = patch(browser, "levels", {"waiting_minutes": None}).json()
        assert (config["waiting_minutes"], config["waiting_minutes_source"]) == (120, "job_file")

    def test_a_patch_changes_what_it_names_and_null_drops_one(self, browser: Client) -> None:
        submit_named("job")
        patch(browser, "job", {"events": {"running": True, "failed": False}, "muted": True})
        config = patch(browser, "job", {"events": {"failed": None}}).json()
        assert sources(config)["running"] == (True, "override")
        assert sources(config)["failed"] == (True, "site")
        assert config["muted"] is True

    def test_delete_drops_all_of_it(self, browser: Client) -> None:
        submit_named("job")
        patch(browser, "job", {"events": {"running": True}, "waiting_minutes": 5, "muted": True})
        answer = browser.delete(config_url("job"))
        assert answer.status_code == 200
        assert sources(answer.json())["running"] == (False, "site")
        assert (answer.json()["muted"], answer.json()["waiting_minutes"]) == (False, 60)
        assert not JobConfig.objects.exists()

    def test_an_override_that_says_nothing_leaves_no_row(self, browser: Client) -> None:
        submit_named("job")
        patch(browser, "job", {"muted": True})
        assert JobConfig.objects.count() == 1
        patch(browser, "job", {"muted": False})
        assert not JobConfig.objects.exists()

    def test_a_mute_until_a_time(self, browser: Client) -> None:
        submit_named("job")
        until = timezone.now() + timedelta(hours=1)
        config = patch(browser, "job", {"muted_until": until.isoformat()}).json()
        assert config["muted"] is True
        assert datetime.fromisoformat(config["muted_until"]) == until
        patch(browser, "job", {"waiting_minutes": 5})  # says nothing of it
        assert JobConfig.objects.get().muted_until == until
        assert patch(browser, "job", {"muted": True}).json()["muted_until"] is None
        patch(browser, "job", {"muted_until": until.isoformat()})
        JobConfig.objects.update(muted_until=timezone.now())
        assert (browser.get(config_url("job")).json()["muted"], JobConfig.objects.count()) == (False, 1)

    def test_a_job_submitted_again_starts_without_override(self, browser: Client) -> None:
        submit_named("again", at=timezone.now() - timedelta(hours=1))
        patch(browser, "again", {"muted": True})
        Framework.objects.filter(name="again").delete()
        submit_named("again")
        assert browser.get(config_url("again")).json()["muted"] is False

    def test_the_signal_names_the_job_and_what_was_switched_on(self, browser: Client) -> None:
        key = ("job", submit_named("job", notificationAtSucceeded=True))
        with listening(wishes_changed) as heard:
            patch(browser, "job", {"events": {"running": True, "succeeded": True, "failed": False}})
            patch(browser, "job", {"events": {"running": True}})  # changes nothing
            patch(browser, "job", {"events": {"waiting_too_long": False, "running": False}})
            browser.delete(config_url("job"))
            browser.delete(config_url("job"))  # changes nothing
        assert heard == [
            Heard([], key, ["running"]),
            Heard([], key, []),
            Heard([], key, ["waiting_too_long"]),
        ]

    def test_a_job_of_an_owner_never_seen_can_be_read_without_making_a_record(self, root: User) -> None:
        SiteSettings.objects.create(default_events=["stopped"], waiting_minutes=7)
        submit_named("new", owner="newcomer")
        config = client_of(root).get(config_url("new")).json()
        assert (sources(config)["stopped"], config["waiting_minutes"]) == ((True, "site"), 7)
        assert not User.objects.filter(username="newcomer").exists()


class TestAccess:
    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    def test_a_foreign_job_looks_like_an_unknown_one(self, bob: User, method: str) -> None:
        submit_named("alices")
        other = client_of(bob)
        foreign = other.generic(method, config_url("alices"), "{}", "application/json")
        unknown = other.generic(method, config_url("nobodys"), "{}", "application/json")
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json() == unknown.json() == {"detail": "There is no such job."}
        assert not JobConfig.objects.exists()

    def test_an_administrator_may_change_any_job(self, root: User, browser: Client) -> None:
        submit_named("alices")
        assert patch(client_of(root), "alices", {"muted": True}).status_code == 200
        assert browser.get(config_url("alices")).json()["muted"] is True

    def test_a_stranger_is_asked_to_sign_in(self, db: None, client: Client) -> None:
        assert client.get(JOBS).status_code == 401
        assert client.get(config_url("alices")).status_code == 401

    @pytest.mark.parametrize(
        "name", ["a" * 65, "%00", "%0d%0aSet-Cookie:x", "..%2f..%2fetc", "%ff", "'%20or%201=1"]
    )
    def test_a_made_up_name_is_an_unknown_job(self, browser: Client, name: str) -> None:
        assert browser.get(config_url(name)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"events": {"exploded": True}}, ["events", "exploded"], "There is no such field."),
        ({"events": {"failed": 1}}, ["events", "failed"], "Must be true or false."),
        ({"events": []}, ["events", "non_field_errors"], "Must be a JSON object."),
        ({"waiting_minutes": 0}, ["waiting_minutes"], "greater than or equal to 1"),
        ({"waiting_minutes": 1e300}, ["waiting_minutes"], "whole number of minutes"),
        ({"muted": None}, ["muted"], "may not be null"),
        ({"muted_until": "tomorrow"}, ["muted_until"], "wrong format"),
        ({"muted_until": "2020-01-01T00:00:00Z"}, ["muted_until"], "in the future"),
        ({"muted": False, "muted_until": "2030-01-01T00:00:00Z"}, ["muted_until"], "not muted"),
        ({"mute": True}, ["mute"], "Use: muted, muted_until, events, waiting_minutes."),
    ],
)
def test_an_override_that_cannot_be_used_is_refused_by_name(
    browser: Client, body: Any, field: list[str], message: str
) -> None:
    submit_named("job")
    answer = patch(browser, "job", body)
    assert answer.status_code == 400
    found = answer.json()
    for name in field:
        found = found[name]
    assert message in found[0]
    assert not JobConfig.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "extras: [\njobStatusChangeNotification",
        "extras: {jobStatusChangeNotification: !!python/object/apply:os.system [id]}",
        "jobStatusChangeNotification: " + "[" * 100_000,
    ],
)
def test_a_hostile_file_costs_a_warning_only(browser: Client, text: str) -> None:
    submit_named("hostile", jobConfig=text)
    config = browser.get(config_url("hostile")).json()
    assert len(config["warnings"]) == 1
    assert sources(config)["failed"] == (True, "site")


@pytest.mark.parametrize(
    ("block", "event", "found", "warning"),
    [
        (" {failed: maybe}", "failed", (True, "owner"), "`failed` must be true or false; ignored."),
        (" {failed: 'true'}", "failed", (True, "owner"), "`failed` must be true or false; ignored."),
        (" {failed: maybe}", "stopped", (False, "job_file"), "`failed` must be true or false; ignored."),
        (
            " {waitingTooLong: -3}",
            "waiting_too_long",
            (True, "owner"),
            "`waitingTooLong` must be true, false or minutes (1 to 43200); ignored.",
        ),
        (
            " {exploded: true}",
            "failed",
            (False, "job_file"),
            "'exploded' is no event; use running, succeeded, failed, stopped, retried, waitingTooLong.",
        ),
        (
            " [failed]",
            "failed",
            (True, "owner"),
            "`jobStatusChangeNotification` must hold lines such as `failed: true`; ignored.",
        ),
        (
            " {failed: true",
            "failed",
            (True, "owner"),
            "The file is no valid YAML in line 3 and was not read.",
        ),
    ],
)
def test_a_mistake_in_the_file_is_reported_and_the_next_level_decides(
    browser: Client, alice: User, block: str, event: str, found: tuple[bool, str], warning: str
) -> None:
    UserPreference.objects.create(user=alice, default_events=["failed", "waiting_too_long", "stopped"])
    submit_named("job", jobConfig=f"extras:\n  jobStatusChangeNotification:{block}\n")
    config = browser.get(config_url("job")).json()
    assert config["warnings"] == [warning]
    assert sources(config)[event] == found
    assert config["waiting_minutes"] == 60
    page = browser.get("/jobs/job/").content.decode()
    assert f"<li>{escape(warning)}</li>" in page


@pytest.fixture
def without_table(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE frameworks RENAME TO elsewhere")


@pytest.mark.usefixtures("without_table")
@pytest.mark.parametrize("url", [JOBS, config_url("any")])
def test_without_the_clusters_table_the_answer_says_what_to_do(browser: Client, url: str) -> None:
    answer = browser.get(url)
    assert answer.status_code == 503
    assert "notifcenter capture check" in answer.json()["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize("until", ["9999-12-31T23:59:59Z", "2100-01-01T00:00:00Z"])
def test_a_mute_ends_at_a_time_that_every_zone_has(alice: User, until: str) -> None:
    submit_named("muted-for-ever")
    client = client_of(alice)
    send(client, "PATCH", "/api/v1/preferences/", {"time_zone": "Asia/Shanghai"})
    answer = send(client, "PATCH", config_url("muted-for-ever"), {"muted_until": until})
    assert answer.status_code == 400
    assert "`muted` alone is for good" in str(answer.json())
    assert client.get("/jobs/muted-for-ever/").status_code == 200
