"""The inbox page, with script and without."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Route, expect

from notifications.models import Notification
from preferences.models import JobConfig
from tests.browser.conftest import Visit
from tests.browser.inbox import alive, folder, row, rows, toast, undo
from tests.browser.notices import FAILURE, tell, tell_live
from tests.cluster import submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_job_is_muted_for_an_hour_and_that_is_taken_back(visit: Visit, alice: User) -> None:
    update(submit("resnet50"), state="FAILED")
    page = alive(visit("/", alice))
    row(page, "resnet50 failed").locator("summary").first.click()
    page.get_by_role("button", name="Mute job").click()
    page.get_by_role("button", name="For an hour").click()
    toasts = page.locator("notif-toasts")
    expect(toasts.locator(".toast").get_by_text("resnet50 is muted.")).to_be_visible()
    until = JobConfig.objects.get().muted_until
    assert until is not None
    assert timedelta(minutes=50) < until - datetime.now(UTC) <= timedelta(hours=1)
    expect(row(page, "resnet50 failed").locator(".flag")).to_contain_text("Muted until")
    toasts.get_by_role("button", name="Undo").click()
    expect(row(page, "resnet50 failed").locator(".flag")).to_have_count(0)
    wait_for(lambda: page.evaluate("0") or not JobConfig.objects.exists())


def test_a_row_that_nobody_opened_stays_closed_and_unread(visit: Visit, alice: User) -> None:
    """What the cluster recorded is open within its row; the row is not."""
    tell(alice, "resnet50", "stopped", details={"diagnostics": "User has requested to stop the Framework"})
    page = alive(visit("/", alice))
    expect(page.get_by_role("button", name="Notifications, 1 unread", exact=True)).to_be_visible()
    expect(rows(page).locator("> details:not([open]) > summary")).to_be_visible()
    assert Notification.objects.get().read_at is None


def test_on_a_phone_the_header_does_not_cover_how_many_have_arrived(visit: Visit, alice: User) -> None:
    for number in range(12):
        tell(alice, f"before-{number}")
    page = alive(visit("/", alice, viewport={"width": 390, "height": 844}))
    expect(rows(page)).to_have_count(12)
    page.evaluate("scrollTo(0, 600)")
    page.evaluate("new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))")
    tell_live(alice, {"running": 1})
    page.get_by_role("button", name="1 new").click()
    expect(row(page, "running-0 is running")).to_be_in_viewport()


def test_folders_events_and_search_narrow_the_list_and_live_in_the_address(visit: Visit, alice: User) -> None:
    now = datetime.now(UTC)
    tell(alice, "resnet50", "failed")
    tell(alice, "bert-base", "succeeded", read_at=now)
    tell(alice, "resnet152", "running", archived_at=now)
    page = visit("/", alice)
    expect(rows(page)).to_have_count(2)

    folder(page, "Unread").click()
    expect(rows(page)).to_have_count(1)
    assert page.url.endswith("/?tab=unread")
    folder(page, "Archived").click()
    expect(row(page, "resnet152 is running")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    folder(page, "All").click()
    expect(rows(page)).to_have_count(2)

    page.get_by_role("checkbox", name="Succeeded", exact=True).check()
    expect(row(page, "bert-base succeeded")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("searchbox").fill("resnet")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/\?event=succeeded&q=resnet$"))
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("resnet")
    page.get_by_role("button", name="Clear filters").click()
    expect(rows(page)).to_have_count(2)
    page.go_back()
    expect(page.get_by_text("Nothing found")).to_be_visible()


def test_load_more_goes_on_without_gap_or_double(visit: Visit, alice: User) -> None:
    for number in range(70):
        tell(alice, f"job-{number:02}", "running")
    page = visit("/", alice)
    expect(rows(page)).to_have_count(30)
    more = page.get_by_role("button", name="Load more")
    more.evaluate("button => button.focus({ preventScroll: true })")  # in sight, it loads by itself
    page.keyboard.press("Enter")
    expect(row(page, "job-39").locator("summary")).to_be_focused()
    page.keyboard.press("End")
    expect(rows(page)).to_have_count(70)
    expect(more).to_have_count(0)
    titles = page.locator(".notice__title").all_inner_texts()
    assert [title.split()[-3] for title in titles] == [f"job-{number:02}" for number in reversed(range(70))]


def test_archive_takes_the_row_away_and_undo_brings_it_back(visit: Visit, alice: User) -> None:
    one, _ = tell(alice, "resnet50"), tell(alice, "bert-base")
    page = alive(visit("/", alice))
    row(page, "resnet50").hover()
    page.get_by_role("button", name="Archive: resnet50").click()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("button", name="Notifications, 1 unread", exact=True)).to_be_visible()
    wait_for(lambda: Notification.objects.get(pk=one.pk).archived_at)
    page.locator("notif-toasts").get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(2)
    wait_for(lambda: Notification.objects.get(pk=one.pk).archived_at is None)


def test_opening_shows_the_diagnosis_and_marks_as_read_without_moving_the_row(
    visit: Visit, alice: User
) -> None:
    tell(alice, "resnet50")
    page = alive(visit("/?tab=unread", alice))
    row(page, "resnet50").locator("summary").click()
    expect(page.get_by_text("Ask for more memory per task.")).to_be_visible()
    expect(page.get_by_text("137 (OOMKilled)")).to_be_visible()
    expect(page.get_by_text("2 hr 5 min")).to_be_visible()
    expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    expect(row(page, "resnet50")).to_be_visible()
    page.get_by_role("button", name="Mark as unread: resnet50").click()
    expect(page.get_by_role("button", name="Notifications, 1 unread", exact=True)).to_be_visible()
    wait_for(lambda: Notification.objects.get().read_at is None)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_diagnosis_is_the_same_with_and_without_script(visit: Visit, alice: User, script: bool) -> None:
    """What the cluster recorded is often the same in JSON, so it stays folded beside what the task said."""
    more = {"attempt": 2, "max_attempts": 4, "last_ran_seconds": 60, "image": "openpai/standard"}
    texts = {"output": "<b>Killed</b>", "diagnostics": "Pod failed: PodPattern matched: {}"}
    tell(alice, "resnet50", details={**FAILURE, **more, **texts})
    page = visit("/", alice, java_script_enabled=script)
    if script:
        alive(page)
    one = row(page, "resnet50")
    one.locator("summary").first.click()
    shown = one.locator(".facts div").all_inner_texts()
    for fact in ("Exit code\n137 (OOMKilled)", "Cause\nThe job itself", "Task\nworker[3]", "Attempt\n2 of 4"):
        assert fact in shown
    assert "Image\nopenpai/standard" in shown
    assert any(fact.startswith("Ran\n2 h") and "with all attempts, the last 60 s" in fact for fact in shown)
    expect(one.get_by_text("<b>Killed</b>")).to_be_visible()
    expect(one.get_by_text("PodPattern")).to_be_hidden()
    one.get_by_text("What the cluster recorded").click()
    expect(one.get_by_text("PodPattern")).to_be_visible()


def test_what_was_opened_and_typed_before_the_script_came_is_kept(visit: Visit, alice: User) -> None:
    tell(alice, "bert-base")
    tell(alice, "resnet50")
    page = visit("about:blank", alice)
    scripts: list[Route] = []
    page.route("**/define.js", lambda route: scripts.append(route))
    page.goto("/", wait_until="commit")
    row(page, "resnet50").locator("summary").click()
    page.get_by_role("searchbox").fill("resn")
    wait_for(lambda: page.evaluate("true") and scripts)[0].continue_()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_text("Ask for more memory per task.")).to_be_visible()
    expect(row(page, "resnet50")).not_to_have_class(re.compile("notice--unread"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("resn")


def test_days_are_told_apart(visit: Visit, alice: User) -> None:
    now = datetime.now().astimezone().replace(hour=12)
    for days, job in ((9, "old"), (1, "recent"), (0, "new")):
        tell(alice, job, created_at=now - timedelta(days=days))
    page = visit("/", alice, timezone_id="UTC")
    expect(page.locator(".day")).to_have_text(["Today", "Yesterday", "Earlier"])


def test_times_grow_old_while_the_page_is_open(visit: Visit, alice: User) -> None:
    page = visit("about:blank", alice)
    page.clock.install()
    page.goto("/")
    tell(alice, "resnet50", occurred_at=datetime.now(UTC))
    tell_live(alice, {"running": 1})
    time = row(alive(page), "resnet50").locator("time")
    expect(time).to_contain_text("just now")
    page.clock.fast_forward("03:10")
    expect(time).to_contain_text("3 min. ago")
    expect(time).to_have_attribute("title", re.compile(r"\d{4}, \d+:\d\d:\d\d"))


def test_the_keyboard_moves_archives_and_marks(visit: Visit, alice: User) -> None:
    for job in ("gamma", "beta", "alpha"):
        tell(alice, job)
    page = visit("/", alice)
    alive(page)
    row(page, "alpha").locator("summary").focus()
    page.keyboard.press("j")
    expect(row(page, "beta").locator("summary")).to_be_focused()
    page.keyboard.press("u")
    expect(row(page, "beta")).not_to_have_class(re.compile("notice--unread"))
    page.keyboard.press("e")
    expect(rows(page)).to_have_count(2)
    expect(row(page, "gamma").locator("summary")).to_be_focused()


def test_mark_all_read_empties_the_unread_folder_and_that_is_taken_back(visit: Visit, alice: User) -> None:
    """Those too that are not loaded; what was read or archived before stays as it was."""
    tell(alice, "read", read_at=datetime.now(UTC))
    tell(alice, "archived", archived_at=datetime.now(UTC))
    for number in range(40):
        tell(alice, f"job-{number:02}")
    before = unread_jobs()
    page = alive(visit("/?tab=unread", alice))
    expect(rows(page)).to_have_count(30)
    page.get_by_role("button", name="Mark all read").click()
    expect(page.get_by_text("You are all caught up")).to_be_visible()
    expect(toast(page, "40 marked as read.")).to_be_visible()
    assert unread_jobs() == {"archived"}
    undo(page, "40 marked as read.")
    expect(rows(page).first).to_be_visible()
    expect(page.get_by_role("button", name="Notifications, 40 unread")).to_be_visible()
    wait_for(lambda: unread_jobs() == before)


def unread_jobs() -> set[str]:
    return set(Notification.objects.filter(read_at=None).values_list("job_name", flat=True))


def test_without_script_one_can_sign_in_read_and_mark(visit: Visit, alice: User, bob: User) -> None:
    tell(bob, "not-hers")
    for number in range(31):
        tell(alice, f"job-{number}")
    page = visit("/", java_script_enabled=False)
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    page.get_by_label("Password").fill("alice-password")
    page.get_by_role("button", name="Sign in").click()

    expect(rows(page)).to_have_count(30)
    row(page, "job-30").locator("summary").click()
    expect(row(page, "job-30").get_by_text("Ask for more memory per task.")).to_be_visible()
    page.get_by_role("button", name="Mark as read: job-30").click()
    expect(folder(page, "Unread 30")).to_be_visible()
    page.get_by_role("link", name="Load more").click()
    expect(row(page, "job-0")).to_be_visible()
    folder(page, "Unread").click()
    expect(row(page, "job-30")).to_have_count(0)
    page.get_by_role("button", name="Mark all read").click()
    expect(page.get_by_text("Nothing here")).to_be_visible()
    assert Notification.objects.filter(read_at=None).get().job_name == "not-hers"
