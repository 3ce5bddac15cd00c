"""GET and PATCH /api/v1/preferences/."""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from preferences.models import ChannelPolicy, ChannelPreference, SiteSettings, UserPreference
from preferences.signals import wishes_changed
from tests.signals import Heard, listening

URL = "/api/v1/preferences/"


def patch(client: Client, body: Any) -> Any:
    return client.patch(URL, body, content_type="application/json")


def on(switches: dict[str, bool]) -> set[str]:
    return {event for event, wanted in switches.items() if wanted}


def test_a_new_user_has_both_channels_on_and_the_sites_defaults(browser: Client) -> None:
    preferences = browser.get(URL).json()
    assert preferences["email_address"] == "alice@example.org"
    assert on(preferences["default_events"]) == {"failed", "waiting_too_long"}
    assert preferences["default_events_source"] == "site"
    assert preferences["waiting_minutes"] is None
    assert preferences["site_waiting_minutes"] == 60
    assert preferences["time_zone"] == ""
    assert (preferences["bundling_minutes"], preferences["daily_hour"]) == (1, 8)
    assert (preferences["quiet_hours"], preferences["failures_pass_quiet"]) == (None, False)
    for channel in ("webportal", "email"):
        row = preferences["channels"][channel]
        assert (row["available"], row["why_not"], row["enabled"]) == (True, "", True)
        assert on(row["events"]) == {
            "running",
            "succeeded",
            "failed",
            "stopped",
            "retried",
            "waiting_too_long",
            "alert",
        }


def test_a_patch_changes_what_it_names_and_nothing_else(browser: Client, alice: User) -> None:
    answer = patch(
        browser,
        {
            "channels": {"email": {"events": {"running": False}}},
            "default_events": {"succeeded": True},
            "waiting_minutes": 15,
        },
    )
    assert answer.status_code == 200
    preferences = answer.json()
    assert preferences == browser.get(URL).json()
    assert preferences["channels"]["email"]["enabled"] is True
    assert "running" not in on(preferences["channels"]["email"]["events"])
    assert len(on(preferences["channels"]["email"]["events"])) == 6
    assert len(on(preferences["channels"]["webportal"]["events"])) == 7
    assert on(preferences["default_events"]) == {"failed", "waiting_too_long", "succeeded"}
    assert preferences["default_events_source"] == "owner"
    assert preferences["waiting_minutes"] == 15
    patch(browser, {"channels": {"email": {"enabled": False}}})
    row = ChannelPreference.objects.get(user=alice, channel="email")
    assert row.enabled is False
    assert row.events == ["succeeded", "failed", "stopped", "retried", "waiting_too_long", "alert"]


def test_an_empty_patch_changes_nothing(browser: Client) -> None:
    before = browser.get(URL).json()
    bodies: list[dict[str, Any]] = [
        {}, {"default_events": {}}, {"channels": {}}, {"channels": {"email": {"events": {}}}},
    ]  # fmt: skip
    for body in bodies:
        assert patch(browser, body).json() == before


def test_null_goes_back_to_the_sites_defaults(browser: Client, alice: User) -> None:
    patch(browser, {"default_events": {"failed": False}, "waiting_minutes": 15})
    SiteSettings.objects.create(default_events=["stopped"], waiting_minutes=90)
    preferences = patch(browser, {"default_events": None, "waiting_minutes": None}).json()
    assert on(preferences["default_events"]) == {"stopped"}
    assert preferences["default_events_source"] == "site"
    assert (preferences["waiting_minutes"], preferences["site_waiting_minutes"]) == (None, 90)
    own = UserPreference.objects.get(user=alice)
    assert (own.default_events, own.waiting_minutes) == (None, None)


def test_the_time_of_mails_can_be_changed_and_quiet_hours_dropped(browser: Client) -> None:
    quiet = {"from": "22:30", "until": "07:00"}
    changes = {"bundling_minutes": 15, "daily_hour": 18, "quiet_hours": quiet, "failures_pass_quiet": True}
    assert patch(browser, changes).json().items() >= changes.items()
    assert patch(browser, {"quiet_hours": None}).json()["quiet_hours"] is None
    now = datetime.now(UTC)
    times = (f"{now + by * timedelta(hours=1):%H:%M}" for by in (-1, 1))
    ends = patch(browser, {"quiet_hours": dict(zip(("from", "until"), times, strict=True))}).json()[
        "quiet_until"
    ]
    assert timedelta(minutes=58) < datetime.fromisoformat(ends) - now <= timedelta(hours=1)
    assert patch(browser, {"quiet_hours": None}).json()["quiet_until"] is None
    assert browser.get(URL).json()["bundling_minutes"] == 15


def test_the_address_and_the_time_zone_can_be_changed(browser: Client, alice: User) -> None:
    patch(browser, {"email_address": "a@example.com", "time_zone": "Europe/Berlin"})
    alice.refresh_from_db()
    assert alice.email == "a@example.com"
    preferences = patch(browser, {"email_address": ""}).json()
    assert preferences["time_zone"] == "Europe/Berlin"
    assert preferences["channels"]["email"]["available"] is False
    assert preferences["channels"]["email"]["why_not"] == "There is no e-mail address for you yet."


def test_the_language_of_mails_is_the_sites_until_one_is_chosen(browser: Client) -> None:
    SiteSettings.objects.create(language="zh-hans")
    preferences = patch(browser, {}).json()
    assert (preferences["language"], preferences["site_language"]) == ("", "zh-hans")
    assert patch(browser, {"language": "en"}).json()["language"] == "en"
    assert patch(browser, {"language": ""}).json()["language"] == ""


def test_a_channel_that_cannot_work_says_why_and_keeps_its_choices(
    browser: Client, settings: Settings
) -> None:
    settings.EMAIL_CONFIGURED = False
    ChannelPolicy.objects.create(channel="webportal", enabled=False)
    channels = patch(browser, {"channels": {"email": {"events": {"failed": False}}}}).json()["channels"]
    assert channels["email"]["why_not"] == "No mail server is configured."
    assert channels["email"]["events"]["failed"] is False
    assert channels["webportal"]["why_not"] == "The administrator has switched this channel off."


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"colour": "red"}, ["colour"], "There is no such field."),
        ({"\ud800": 1}, ["\\ud800"], "There is no such field."),
        ({"language": "\ud800"}, ["language"], "Must be one of"),
        (
            {"channels": {"pigeon": {}}},
            ["channels", "pigeon"],
            "Use: webportal, email, apprise, webhook, webpush.",
        ),
        ({"channels": {"email": {"evnets": {}}}}, ["channels", "email", "evnets"], "Use: enabled, events."),
        (
            {"channels": {"email": {"available": True}}},
            ["channels", "email", "available"],
            "cannot be changed",
        ),
        (
            {"channels": {"email": {"events": {"failed": "yes"}}}},
            ["channels", "email", "events", "failed"],
            "Must be true or false.",
        ),
        ({"channels": {"email": {"enabled": 1}}}, ["channels", "email", "enabled"], "Must be true or false."),
        ({"channels": {"email": None}}, ["channels", "email"], "may not be null"),
        ({"channels": []}, ["channels", "non_field_errors"], "Must be a JSON object."),
        ({"default_events": {"exploded": True}}, ["default_events", "exploded"], "There is no such field."),
        ({"default_events": {"failed": None}}, ["default_events", "failed"], "may not be null"),
        ({"default_events": ["failed"]}, ["default_events", "non_field_errors"], "Must be a JSON object."),
        ({"waiting_minutes": 0}, ["waiting_minutes"], "greater than or equal to 1"),
        ({"waiting_minutes": 43201}, ["waiting_minutes"], "less than or equal to 43200"),
        ({"waiting_minutes": "60"}, ["waiting_minutes"], "Must be a whole number of minutes, or null."),
        ({"waiting_minutes": True}, ["waiting_minutes"], "Must be a whole number of minutes, or null."),
        ({"waiting_minutes": 1.5}, ["waiting_minutes"], "Must be a whole number of minutes, or null."),
        ({"time_zone": "Mars/Olympus"}, ["time_zone"], "write it like Europe/Berlin"),
        ({"language": "klingon"}, ["language"], "Must be one of"),
        ({"language": None}, ["language"], "may not be null"),
        ({"time_zone": 7}, ["time_zone"], "Not a valid string."),
        ({"bundling_minutes": 7}, ["bundling_minutes"], "Must be one of 0, 1, 5, 15, 60, 1440."),
        ({"bundling_minutes": True}, ["bundling_minutes"], "Must be one of"),
        ({"bundling_minutes": [1]}, ["bundling_minutes"], "Must be one of"),
        ({"daily_hour": 24}, ["daily_hour"], "less than or equal to 23"),
        ({"quiet_hours": {"from": "22:00"}}, ["quiet_hours", "until"], "required"),
        ({"quiet_hours": {"from": "22:00", "until": "22:00"}}, ["quiet_hours", "until"], "must differ"),
        ({"quiet_hours": {"from": "10pm", "until": "22:00"}}, ["quiet_hours", "from"], "wrong format"),
        ({"email_address": "alice"}, ["email_address"], "Enter a valid email address."),
        ({"email_address": "a@b.org\r\nBcc: c@d.org"}, ["email_address"], "Enter a valid email address."),
        ({"email_address": "a@example.org\0"}, ["email_address"], "Enter a valid email address."),
        ({"site_waiting_minutes": 5}, ["site_waiting_minutes"], "This field cannot be changed."),
        ([], ["non_field_errors"], "Must be a JSON object."),
        ("text", ["non_field_errors"], "Must be a JSON object."),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_and_changes_nothing(
    browser: Client, body: Any, field: list[str], message: str
) -> None:
    before = browser.get(URL).json()
    answer = patch(browser, json.dumps(body))
    assert answer.status_code == 400
    found = answer.json()
    for name in field:
        found = found[name]
    assert message in found[0]
    assert browser.get(URL).json() == before


def test_one_bad_field_keeps_the_good_ones_from_being_saved(browser: Client) -> None:
    assert patch(browser, {"waiting_minutes": 5, "time_zone": "Nowhere"}).status_code == 400
    assert browser.get(URL).json()["waiting_minutes"] is None


@pytest.mark.parametrize("body", ["{", "[" * 100_000, '{"waiting_minutes": NaN}', "\xff"])
def test_a_body_that_is_no_json_is_refused(browser: Client, body: str) -> None:
    answer = browser.patch(URL, body.encode("latin1"), content_type="application/json")
    assert answer.status_code == 400
    assert "JSON parse error" in answer.json()["detail"]


def test_everybody_changes_their_own_only(browser: Client, bob: User) -> None:
    patch(browser, {"waiting_minutes": 5})
    other = Client()
    other.force_login(bob)
    assert other.get(URL).json()["waiting_minutes"] is None


def test_a_stranger_is_asked_to_sign_in(db: None, client: Client) -> None:
    assert client.get(URL).status_code == 401
    assert patch(client, {}).status_code == 401


def test_a_foreign_page_cannot_change_them(alice: User) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(alice)
    assert patch(careful, {"waiting_minutes": 5}).status_code == 403


def test_changed_wishes_are_announced_and_a_changed_channel_is_not(browser: Client, alice: User) -> None:
    with listening(wishes_changed) as heard:
        patch(browser, {"waiting_minutes": 5})
        patch(browser, {"default_events": {"running": True}})
        patch(browser, {"channels": {"email": {"enabled": False}}, "time_zone": "Asia/Tokyo"})
        patch(browser, {"waiting_minutes": 5})
    assert heard == [Heard([alice.pk], None, [])] * 2


def test_the_words_are_those_of_the_profile_page(browser: Client) -> None:
    SiteSettings.objects.create(default_events=["failed"], waiting_minutes=45)
    words = browser.get(f"{URL}words/").json()
    page = browser.get("/profile/").content.decode()
    assert words["sections"]["channels"]["title"] == "How to tell me"
    for section in words["sections"].values():
        assert html.escape(section["title"]) in page
        assert html.escape(section["text"]) in page
    for name, field in words["fields"].items():
        assert html.escape(field["label"]) in page, name
        assert html.escape(field["help"]) in page, name
        for choice in field["choices"]:
            assert html.escape(choice["label"]) in page, name
    assert words["fields"]["default_source"]["choices"][0]["label"] == "As the site has it: Failed"
    assert "(45)" in words["fields"]["waiting_minutes"]["help"]
    assert [one["value"] for one in words["fields"]["bundling_minutes"]["choices"]][-1] == "1440"
    assert words["fields"]["time_zone"]["choices"] == []


def test_the_words_come_in_the_language_that_is_asked_for(browser: Client) -> None:
    words = browser.get(f"{URL}words/", headers={"Accept-Language": "zh-hans"}).json()
    assert words["fields"]["email-failed"]["label"] != "Failed: E-mail"
    assert words["sections"]["channels"]["title"] == "通知方式"
