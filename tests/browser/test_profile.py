"""The profile page: what a user sets there holds, and what cannot be set says why; with and without script."""

from __future__ import annotations

from datetime import time

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from notifications.models import Notification
from preferences.kinds import Channel
from preferences.models import ChannelPolicy, UserPreference
from tests.browser.conftest import Visit
from tests.cluster import submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
both = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


@both
def test_all_that_is_set_is_kept_and_holds(visit: Visit, alice: User, script: bool) -> None:
    page = visit("/profile/", alice, java_script_enabled=script)
    page.get_by_label("My own choice").check()
    for event in ("Running", "Stopped"):
        page.get_by_role("group", name="Tell me when such a job").get_by_label(event).check()
    page.get_by_role("checkbox", name="Stopped: Web portal").uncheck()
    page.get_by_label("A job waits too long after").fill("90")
    page.get_by_label("Time zone").select_option("Asia/Shanghai")
    page.get_by_label("Mails").select_option("One mail a day")
    page.get_by_label("One mail a day at").select_option("07:00")
    page.get_by_label("Quiet hours from").fill("22:00")
    page.get_by_label("Quiet hours until").fill("07:30")
    page.get_by_label("Failures are told in quiet hours too").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your preferences are saved.")).to_be_visible()
    kept = UserPreference.objects.get(user=alice)
    assert (kept.waiting_minutes, kept.time_zone, kept.bundling_minutes, kept.daily_hour) == (
        90, "Asia/Shanghai", 1440, 7,
    )  # fmt: skip
    assert (kept.quiet_from, kept.quiet_until, kept.failures_pass_quiet) == (time(22), time(7, 30), True)
    expect(page.get_by_role("checkbox", name="Stopped: Web portal")).not_to_be_checked()
    expect(page.get_by_label("Quiet hours until")).to_have_value("07:30")
    for job, state in (("stops", "STOPPED"), ("runs", "RUNNING")):
        update(submit(job), state=state)
    wait_for(lambda: Notification.objects.filter(job_name="runs").exists())
    assert list(Notification.objects.filter(in_inbox=True).values_list("job_name", flat=True)) == ["runs"]


@both
def test_what_cannot_be_saved_is_marked_and_nothing_is(visit: Visit, alice: User, script: bool) -> None:
    page = visit("/profile/", alice, java_script_enabled=script)
    page.get_by_label("E-mail address").fill("alice at home")
    page.get_by_label("Quiet hours from").fill("22:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="Nothing was saved yet")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value("alice at home")
    expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    assert not UserPreference.objects.exclude(quiet_from=None).exists()


@both
def test_what_the_admin_has_switched_off_is_there_and_says_so(
    visit: Visit, alice: User, script: bool
) -> None:
    ChannelPolicy.objects.create(channel=Channel.EMAIL, enabled=False)
    page = visit("/profile/", alice, java_script_enabled=script)
    mails = page.get_by_role("checkbox", name="Failed: E-mail")
    expect(mails).to_be_disabled()
    expect(page.get_by_text("The administrator has switched this channel off.")).to_be_visible()


def test_it_speaks_the_chosen_language_at_once(visit: Visit, alice: User) -> None:
    page = visit("/profile/", alice)
    page.get_by_label("Language", exact=True).select_option("zh-hans")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="个人设置")).to_be_visible()
    expect(page.get_by_role("button", name="通知")).to_be_visible()
