"""The admin's pages of preferences."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from preferences.models import ChannelPolicy, ChannelPreference, JobConfig, SiteSettings, UserPreference
from preferences.paging import CappedPaginator
from preferences.signals import wishes_changed
from tests.signals import Heard, listening

TIMES = {"bundling_minutes": "1", "daily_hour": "8"}
PAGES = ("userpreference", "channelpreference", "jobconfig", "channelpolicy", "sitesettings")


@pytest.fixture
def browser(root: User, client: Client) -> Client:
    client.force_login(root)
    return client


def url(model: str, *rest: object) -> str:
    return "/".join(["/admin/preferences", model, *map(str, rest), ""])


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


@pytest.mark.parametrize("model", PAGES)
def test_lists_and_forms_open_and_search(browser: Client, alice: User, model: str) -> None:
    UserPreference.objects.create(user=alice)
    ChannelPreference.objects.create(user=alice, channel="email")
    JobConfig.objects.create(framework_name="job1", submission_time=timezone.now())
    ChannelPolicy.objects.create(channel="email")
    assert browser.get(url(model), follow=True).status_code == 200
    assert browser.get(url(model) + "?q=a", follow=True).status_code == 200
    if model != "sitesettings":
        assert browser.get(url(model, "add")).status_code == 200


@pytest.mark.parametrize("model", PAGES)
def test_a_user_who_is_no_admin_sees_nothing(alice: User, client: Client, model: str) -> None:
    client.force_login(alice)
    assert client.get(url(model)).status_code == 302


def test_site_settings_are_one_row_that_can_only_be_changed(browser: Client) -> None:
    assert browser.get(url("sitesettings"))["Location"] == url("sitesettings", "add")
    with listening(wishes_changed) as heard:
        browser.post(
            url("sitesettings", "add"),
            {"default_events": ["stopped"], "waiting_minutes": "5", "language": "en"},
        )
    row = SiteSettings.objects.get()
    assert (row.default_events, row.waiting_minutes) == (["stopped"], 5)
    assert heard == [Heard(None, None, [])]
    assert browser.get(url("sitesettings"))["Location"] == url("sitesettings", 1, "change")
    assert browser.get(url("sitesettings", "add")).status_code == 403
    assert browser.post(url("sitesettings", 1, "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("minutes", ["0", "-1", "43201", "x", ""])
def test_a_limit_that_cannot_be_used_is_refused(browser: Client, minutes: str) -> None:
    answer = browser.post(url("sitesettings", "add"), {"waiting_minutes": minutes, "language": "en"})
    assert list(errors(answer)) == ["waiting_minutes"]
    assert not SiteSettings.objects.exists()


def test_a_users_defaults_can_be_own_none_or_the_sites(browser: Client, alice: User) -> None:
    page = url("userpreference", alice.pk, "change")
    UserPreference.objects.create(user=alice, default_events=[])

    def save(**fields: Any) -> list[str] | None:
        assert browser.post(page, {"user": alice.pk, "time_zone": "", **TIMES, **fields}).status_code == 302
        saved: list[str] | None = UserPreference.objects.get(user=alice).default_events
        return saved

    assert "checked" not in browser.get(page).content.decode()
    with listening(wishes_changed) as heard:
        assert save() == []
        assert save(default_events=["failed"]) == ["failed"]
        assert save(default_events=["failed"], as_the_site="on") is None
    assert heard == [Heard([alice.pk], None, [])] * 3
    assert browser.get(page).content.decode().count("checked") == 1


def test_a_time_zone_that_does_not_exist_is_refused(browser: Client, alice: User) -> None:
    answer = browser.post(url("userpreference", "add"), {"user": alice.pk, "time_zone": "Mars", **TIMES})
    assert list(errors(answer)) == ["time_zone"]


class TestJobConfig:
    @pytest.fixture
    def config(self, db: None) -> JobConfig:
        return JobConfig.objects.create(
            framework_name="job1",
            submission_time=timezone.now() - timedelta(hours=1),
            events={"running": True, "failed": False},
        )

    def test_a_change_is_announced_with_what_was_switched_on(
        self, browser: Client, config: JobConfig
    ) -> None:
        with listening(wishes_changed) as heard:
            answer = browser.post(
                url("jobconfig", config.pk, "change"),
                {"events": '{"running": true, "stopped": true}', "waiting_minutes": ""},
            )
        assert answer.status_code == 302
        assert heard == [Heard([], ("job1", config.submission_time), ["failed", "stopped"])]

    @pytest.mark.parametrize("way", ["page", "action"])
    def test_deleting_is_announced(self, browser: Client, config: JobConfig, way: str) -> None:
        with listening(wishes_changed) as heard:
            if way == "page":
                browser.post(url("jobconfig", config.pk, "delete"), {"post": "yes"})
            else:
                browser.post(
                    url("jobconfig"),
                    {"action": "delete_selected", "_selected_action": [config.pk], "post": "yes"},
                )
        assert not JobConfig.objects.exists()
        assert heard == [Heard([], ("job1", config.submission_time), ["failed"])]

    @pytest.mark.parametrize(
        ("events", "message"),
        [
            ("[]", "Must be an object"),
            ('{"exploded": true}', "There is no event"),
            ('{"failed": 1}', "must be true or false"),
            ("{", "Enter a valid JSON"),
        ],
    )
    def test_events_that_cannot_be_used_are_refused(
        self, browser: Client, config: JobConfig, events: str, message: str
    ) -> None:
        answer = browser.post(url("jobconfig", config.pk, "change"), {"events": events})
        assert message in errors(answer)["events"][0]

    def test_the_job_of_a_config_cannot_be_changed(self, browser: Client, config: JobConfig) -> None:
        browser.post(
            url("jobconfig", config.pk, "change"), {"events": "{}", "framework_name": "other", "muted": "on"}
        )
        config.refresh_from_db()
        assert (config.framework_name, config.muted) == ("job1", True)


def test_a_list_costs_the_same_however_many_rows_there_are(browser: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(url("channelpreference")).status_code == 200
        reads = [query["sql"] for query in captured if "preferences_channelpreference" in query["sql"]]
        assert len(reads) == 2
        assert all("LIMIT" in sql for sql in reads)
        return len(captured)

    users = User.objects.bulk_create(User(username=f"user{number}") for number in range(200))
    ChannelPreference.objects.bulk_create(
        ChannelPreference(user=user, channel="webportal") for user in users[:60]
    )
    few = statements()
    ChannelPreference.objects.bulk_create(ChannelPreference(user=user, channel="email") for user in users)
    assert statements() == few


def test_the_paginator_stops_counting(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("preferences.paging.MAX_COUNTED_ROWS", 3)
    now = timezone.now()
    for number in range(5):
        JobConfig.objects.create(framework_name=f"job{number}", submission_time=now)
    pages = CappedPaginator(JobConfig.objects.order_by("pk"), 2)
    assert (pages.count, pages.num_pages) == (3, 2)
    assert CappedPaginator([1, 2], 2).count == 2
