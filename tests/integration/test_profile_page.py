"""The profile page, as a browser without script uses it."""

from __future__ import annotations

import re
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from preferences.kinds import Channel, Event
from preferences.models import ChannelPolicy, ChannelPreference, UserPreference
from preferences.selectors import profile
from preferences.timing import DAILY_MINUTES, QuietHours, Timing

URL = "/profile/"


def filled_in(**changes: Any) -> dict[str, Any]:
    """What a browser sends when nothing was touched but for `changes` (None: not ticked)."""
    form: dict[str, Any] = {
        "email_address": "alice@example.org",
        "default_source": "site",
        "default_events": ["failed", "waiting_too_long"],
        "waiting_minutes": "",
        "time_zone": "",
        "bundling_minutes": "1",
        "daily_hour": "8",
        "quiet_from": "",
        "quiet_until": "",
        "language": "",
    }
    for channel in Channel:
        form[channel.value] = "on"
        form |= {f"{channel.value}-{event.value}": "on" for event in Event}
    form |= changes
    return {name: value for name, value in form.items() if value is not None}


def test_saving_untouched_changes_nothing(browser: Client, alice: User) -> None:
    before = profile(user=alice)
    assert browser.post(URL, filled_in()).status_code == 302
    assert profile(user=alice) == before


def test_the_form_changes_what_was_ticked_and_says_so(browser: Client, alice: User) -> None:
    answer = browser.post(
        URL,
        filled_in(
            **{
                "email_address": "a@example.com",
                "default_source": "owner",
                "default_events": ["succeeded"],
                "waiting_minutes": "15",
                "time_zone": "Europe/Berlin",
                "bundling_minutes": "1440",
                "daily_hour": "18",
                "quiet_from": "22:30",
                "quiet_until": "07:00",
                "failures_pass_quiet": "on",
                "language": "zh-hans",
                "email-running": None,
                "webportal": None,
            }
        ),
        follow=True,
    )
    assert answer.redirect_chain == [(URL, 302)]
    assert "Your preferences are saved." in answer.content.decode()
    alice.refresh_from_db()
    saved = profile(user=alice)
    assert saved.email_address == alice.email == "a@example.com"
    assert saved.own_default_events == frozenset({Event.SUCCEEDED})
    assert (saved.waiting_minutes, saved.time_zone) == (15, "Europe/Berlin")
    assert saved.timing == Timing(
        ZoneInfo("Europe/Berlin"), DAILY_MINUTES, 18, QuietHours(time(22, 30), time(7))
    )
    assert saved.failures_pass_quiet
    assert saved.language == "zh-hans"
    rows = {row.channel: row for row in saved.channels}
    assert rows[Channel.WEBPORTAL].enabled is False
    assert rows[Channel.WEBPORTAL].events == set(Event)
    assert rows[Channel.EMAIL].events == set(Event) - {Event.RUNNING}


def test_ticking_other_events_is_an_own_choice_and_going_back_to_the_site_drops_it(
    browser: Client, alice: User
) -> None:
    browser.post(URL, filled_in(default_events=["running"]))
    assert profile(user=alice).own_default_events == frozenset({Event.RUNNING})
    browser.post(URL, filled_in(default_events=["running"], default_source="site"))
    assert profile(user=alice).own_default_events is None


def test_a_mistake_is_shown_at_its_field_and_nothing_typed_is_lost(browser: Client, alice: User) -> None:
    before = profile(user=alice)
    answer = browser.post(
        URL,
        filled_in(**{"email_address": "no address", "waiting_minutes": "17", "email-stopped": None}),
    )
    page = answer.content.decode()
    assert "Enter a valid email address." in page
    assert 'value="no address"' in page
    assert 'value="17"' in page
    assert not ticked(page, "email-stopped")
    assert ticked(page, "email-failed")
    assert profile(user=alice) == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"waiting_minutes": "0"}, "waiting_minutes"),
        ({"waiting_minutes": "many"}, "waiting_minutes"),
        ({"waiting_minutes": "9" * 50}, "waiting_minutes"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"bundling_minutes": "7"}, "bundling_minutes"),
        ({"daily_hour": "24"}, "daily_hour"),
        ({"quiet_from": "25:00", "quiet_until": "07:00"}, "quiet_from"),
        ({"quiet_from": "22:00"}, "quiet_until"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "quiet_until"),
        ({"default_source": "moon"}, "default_source"),
        ({"default_source": None}, "default_source"),
        ({"default_events": ["exploded"]}, "default_events"),
        ({"email_address": "a@b.org\r\nBcc: c@d.org"}, "email_address"),
        ({"email_address": "a\0@b.org"}, "email_address"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_field(
    browser: Client, alice: User, changes: dict[str, Any], field: str
) -> None:
    before = profile(user=alice)
    answer = browser.post(URL, filled_in(**changes))
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert profile(user=alice) == before


def test_an_unavailable_channel_is_greyed_out_with_the_reason_and_keeps_its_choices(
    browser: Client, alice: User, settings: Settings
) -> None:
    ChannelPreference.objects.create(user=alice, channel="email", enabled=False, events=["failed"])
    settings.EMAIL_CONFIGURED = False
    ChannelPolicy.objects.create(channel="webportal", enabled=False)
    page = browser.get(URL).content.decode()
    assert "No mail server is configured." in page
    assert "The administrator has switched this channel off." in page
    assert "disabled" in tag(page, "email-failed")
    assert "disabled" in tag(page, "webportal")
    assert browser.post(URL, filled_in()).status_code == 302
    row = ChannelPreference.objects.get(user=alice, channel="email")
    assert (row.enabled, row.events) == (False, ["failed"])


def test_giving_an_address_makes_mail_available(browser: Client, alice: User) -> None:
    alice.email = ""
    alice.save()
    assert "There is no e-mail address for you yet." in browser.get(URL).content.decode()
    browser.post(URL, filled_in())
    assert "disabled" not in tag(browser.get(URL).content.decode(), "email-failed")


def test_an_odd_time_zone_chosen_over_rest_survives_the_form(browser: Client, alice: User) -> None:
    UserPreference.objects.create(user=alice, time_zone="Etc/GMT+1")
    page = browser.get(URL).content.decode()
    assert '<option value="Etc/GMT+1" selected>' in page
    assert browser.post(URL, filled_in(time_zone="Etc/GMT+1")).status_code == 302


def test_hostile_text_is_escaped(browser: Client) -> None:
    page = browser.post(URL, filled_in(email_address='"><img src=x onerror=alert(1)>')).content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_everybody_changes_their_own_only(browser: Client, bob: User) -> None:
    before = profile(user=bob)
    browser.post(URL, filled_in(waiting_minutes="15"))
    assert profile(user=bob) == before


def test_a_stranger_is_sent_to_sign_in(db: None, client: Client) -> None:
    for answer in (client.get(URL), client.post(URL, filled_in())):
        assert answer.status_code == 302
        assert answer["Location"] == f"{reverse('login')}?next={URL}"


def test_a_foreign_page_cannot_post_it(alice: User) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(alice)
    assert careful.post(URL, filled_in()).status_code == 403


def tag(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', page)
    assert found, f"no input {name}"
    return found[0]


def ticked(page: str, name: str) -> bool:
    return "checked" in tag(page, name)
