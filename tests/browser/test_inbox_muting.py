"""Jobs that are muted from the inbox: one, some, or all that match; how they are marked, and how it ends."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from preferences.models import JobConfig
from tests.browser.conftest import Visit
from tests.browser.inbox import alive, bar, line, row, rows, toast, undo
from tests.browser.notices import tell
from tests.cluster import submit
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


SUBMITTED = datetime.now(UTC) - timedelta(hours=3)


def job(user: User, name: str, *events: str) -> str:
    """A job of the cluster, and what was told of it; returns its framework's name."""
    framework = submit(name, submissionTime=SUBMITTED)
    for event in events or ("failed",):
        tell(user, name, event, submission_time=SUBMITTED)
    return framework


def muted() -> set[str]:
    return set(JobConfig.objects.filter(muted=True).values_list("framework_name", flat=True))


def choose(page: Page, until: str) -> None:
    page.get_by_role("dialog", name="Mute the job").get_by_role("button", name=until).click()


def test_a_job_is_muted_marked_and_unmuted(visit: Visit, alice: User) -> None:
    framework = job(alice, "resnet50", "failed", "running")
    job(alice, "bert-base")
    page = alive(visit("/", alice))
    line(page, "resnet50 failed").click()
    row(page, "resnet50 failed").get_by_role("button", name="Mute job").click()
    choose(page, "Until tomorrow morning")
    expect(toast(page, "resnet50 is muted.")).to_be_visible()
    for told in ("resnet50 failed", "resnet50 is running"):  # both are of that job
        expect(row(page, told).locator(".flag")).to_have_text(re.compile("Muted until .*8"))
    expect(row(page, "bert-base").locator(".flag")).to_have_count(0)
    assert muted() == {framework}
    page.reload()
    expect(row(alive(page), "resnet50 failed").locator(".flag")).to_have_text(re.compile("Muted until .*8"))
    line(page, "resnet50 failed").click()
    row(page, "resnet50 failed").get_by_role("button", name="Unmute job").click()
    expect(toast(page, "resnet50 is no longer muted.")).to_be_visible()
    expect(page.locator("notif-inbox .flag")).to_have_count(0)
    assert muted() == set()
    undo(page, "resnet50 is no longer muted.")
    expect(row(page, "resnet50 failed").locator(".flag")).to_have_text(re.compile("Muted until .*8"))
    wait_for(lambda: muted() == {framework})
    line(page, "resnet50 failed").focus()
    page.keyboard.press("m")
    wait_for(lambda: page.evaluate("0") or muted() == set())


def test_jobs_are_muted_and_unmuted_together(visit: Visit, alice: User) -> None:
    for name in ("resnet50", "bert-base"):
        job(alice, name)
    page = alive(visit("/", alice))
    everything = page.get_by_role("checkbox", name="Select all that are shown")
    everything.check()
    page.get_by_role("button", name="Mute the jobs", exact=True).click()
    choose(page, "For good")
    expect(toast(page, "2 jobs are muted.")).to_be_visible()
    assert set(JobConfig.objects.values_list("muted", "muted_until")) == {(True, None)}
    expect(page.locator("notif-inbox .flag")).to_have_text(["Muted", "Muted"])
    everything.check()
    page.get_by_role("button", name="Unmute the jobs").click()
    expect(toast(page, "2 jobs are no longer muted.")).to_be_visible()
    assert muted() == set()
    undo(page, "2 jobs are no longer muted.")
    wait_for(lambda: len(muted()) == 2)


def test_the_jobs_of_all_that_match_are_muted_those_that_are_not_loaded_too(
    visit: Visit, alice: User
) -> None:
    failed = {job(alice, f"job-{number:02}") for number in range(34)}
    job(alice, "another", "running")
    spared = job(alice, "muted-before")
    JobConfig.objects.create(
        framework_name=spared,
        submission_time=SUBMITTED,
        muted=True,
        muted_until=datetime.now(UTC) + timedelta(days=2),
    )
    before = set(JobConfig.objects.values_list("framework_name", "muted", "muted_until"))
    page = alive(visit("/?event=failed", alice))
    expect(rows(page)).to_have_count(30)
    page.get_by_role("checkbox", name="Select all that are shown").check()
    page.get_by_role("button", name="Select all that match").click()
    bar(page).get_by_role("button", name="Mute the jobs", exact=True).click()
    choose(page, "For good")
    expect(toast(page, "35 jobs are muted.")).to_be_visible()
    expect(rows(page).locator(".flag").first).to_have_text("Muted")
    assert muted() == failed | {spared}
    assert not JobConfig.objects.exclude(muted_until=None).exists()
    undo(page, "35 jobs are muted.")
    wait_for(
        lambda: (
            page.evaluate("0")
            or set(JobConfig.objects.values_list("framework_name", "muted", "muted_until")) == before
        )
    )
    expect(page.locator("notif-inbox .flag")).to_have_count(1)


def test_a_job_that_is_gone_is_not_shown_as_muted(visit: Visit, alice: User) -> None:
    tell(alice, "resnet50")
    page = alive(visit("/", alice))
    line(page, "resnet50").focus()
    page.keyboard.press("m")
    choose(page, "For good")
    expect(toast(page, "It could not be muted. No job of these is in the cluster's list")).to_be_visible()
    expect(page.locator("notif-inbox .flag")).to_have_count(0)


def test_what_is_muted_elsewhere_is_marked_here_and_on_the_pages_of_jobs(visit: Visit, alice: User) -> None:
    framework = job(alice, "resnet50")
    page = alive(visit("/", alice))
    other = page.context.new_page()
    other.goto(f"/jobs/{framework}/")
    other.get_by_label("Mute this job").select_option("For good")
    other.get_by_role("button", name="Save").click()
    expect(other.locator(".page-head .flag")).to_have_text("Muted")
    expect(row(page, "resnet50").locator(".flag")).to_have_text("Muted")
    other.goto("/jobs/")
    expect(other.get_by_role("row", name="resnet50").locator(".flag")).to_have_text("Muted")
