"""A sweep in the inbox: one line that counts up, opens to its jobs, and can be watched and muted."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from notifications.groups.models import JobGroup
from preferences.kinds import JOB_EVENTS, Event
from preferences.models import SiteSettings
from tests.browser.conftest import Visit
from tests.browser.inbox import toast, undo
from tests.cluster import framework_name, submit, update
from tests.processes import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("site")]


def test_one_line_that_counts_up(visit: Visit, alice: User) -> None:
    SiteSettings.objects.create(
        default_events=[event for event in JOB_EVENTS if event is not Event.SUCCEEDED]
    )
    for number in range(1, 4):
        update(submit(f"sweep-{number}"), state="RUNNING")
    wait_for(lambda: JobGroup.objects.filter(running=3).exists())
    page = visit("/?group=job", alice)
    line = page.locator("notif-inbox li.group")
    expect(line).to_have_count(1)
    expect(line).to_contain_text("0 succeeded, 0 failed, 3 running")
    update(framework_name("sweep-1"), state="SUCCEEDED")  # of which nobody is told
    expect(line).to_contain_text("1 succeeded, 0 failed, 2 running")
    line.locator("summary").first.click()
    expect(line.get_by_text("sweep-3 is running")).to_be_visible()
    line.get_by_role("button", name="Tell me when the last one has ended").click()
    wait_for(lambda: JobGroup.objects.filter(tell_when_ended=True).exists())
    line.get_by_role("button", name="Mute sweep").click()
    wait_for(lambda: JobGroup.objects.filter(muted=True).exists())
    for number in (2, 3):
        update(framework_name(f"sweep-{number}"), state="FAILED")
    expect(line).to_contain_text("1 succeeded, 2 failed, 0 running")
    expect(page.get_by_text("sweep-* has ended: 1 succeeded, 2 failed").first).to_be_visible()


def test_rows_by_day_of_which_many_are_of_one_sweep_offer_to_fold_them(visit: Visit, alice: User) -> None:
    SiteSettings.objects.create(default_events=list(JOB_EVENTS))
    for number in range(1, 6):
        update(submit(f"sweep-{number}"), state="RUNNING")
    wait_for(lambda: JobGroup.objects.filter(running=5).exists())
    page = visit("/", alice)
    expect(page.get_by_text("5 of these are of the sweep sweep-*.")).to_be_visible()
    page.get_by_role("link", name="Put together by job").click()
    expect(page.locator("notif-inbox li.group")).to_have_count(1)
    expect(page.get_by_text("5 of these are of the sweep")).to_have_count(0)
    assert page.url.endswith("/?group=job")


def test_what_was_asked_of_a_sweep_is_taken_back(visit: Visit, alice: User) -> None:
    SiteSettings.objects.create(default_events=list(JOB_EVENTS))
    for number in range(1, 3):
        update(submit(f"sweep-{number}"), state="RUNNING")
    wait_for(lambda: JobGroup.objects.filter(running=2).exists())
    page = visit("/?group=job", alice)
    line = page.locator("notif-inbox li.group")
    line.locator("summary").first.click()
    line.get_by_role("button", name="Mute sweep").click()
    expect(toast(page, "sweep-* is muted.")).to_be_visible()
    assert JobGroup.objects.get().muted
    undo(page, "sweep-* is muted.")
    wait_for(lambda: not JobGroup.objects.get().muted)
    line.get_by_role("button", name="Tell me when the last one has ended").click()
    expect(toast(page, "You will be told when the last one has ended.")).to_be_visible()
    assert JobGroup.objects.get().tell_when_ended
    undo(page, "You will be told when the last one has ended.")
    wait_for(lambda: not JobGroup.objects.get().tell_when_ended)
