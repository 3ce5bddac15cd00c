"""What is done to the rows of the inbox, one or many at once, and how it is taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect

from notifications import inbox
from notifications.models import Notification
from preferences.timing import MORNING
from tests.browser.conftest import Visit
from tests.browser.inbox import UNREAD_ROW, alive, bar, box, folder, line, row, rows, toast, undo
from tests.browser.notices import tell, tell_live
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def states() -> list[tuple[Any, ...]]:
    values = ("id", "read_at", "archived_at", "saved", "snoozed_until")
    return list(Notification.objects.order_by("id").values_list(*values))


def unread_in_bell(page: Page, count: int) -> None:
    name = f"Notifications, {count} unread" if count else "Notifications"
    expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


def test_what_is_saved_is_kept_in_a_folder_of_its_own(visit: Visit, alice: User) -> None:
    tell(alice, "resnet50")
    tell(alice, "bert-base")
    page = alive(visit("/", alice))
    row(page, "resnet50").hover()
    page.get_by_role("button", name="Save: resnet50").click()
    expect(row(page, "resnet50").get_by_text("Saved", exact=True)).to_be_attached()
    row(page, "resnet50").get_by_role("button", name="Archive: resnet50").click()
    folder(page, "Saved").click()
    expect(rows(page)).to_have_count(1)
    row(page, "resnet50").hover()
    page.get_by_role("button", name="Save no longer: resnet50").click()
    expect(page.get_by_text("Nothing is saved")).to_be_visible()
    undo(page, "No longer saved.")
    expect(row(page, "resnet50")).to_be_visible()
    wait_for(lambda: Notification.objects.get(job_name="resnet50").saved)


def test_what_is_snoozed_leaves_and_comes_back_unread_by_itself(visit: Visit, alice: User) -> None:
    one = tell(alice, "resnet50", read_at=datetime.now(UTC))
    tell(alice, "bert-base")
    page = alive(visit("/", alice))
    row(page, "resnet50").hover()
    page.get_by_role("button", name="Snooze: resnet50").click()
    menu = page.get_by_role("dialog", name="Snooze")
    expect(menu.get_by_role("button", name="For an hour")).to_be_focused()
    menu.get_by_role("button", name="Until tomorrow morning").click()
    expect(rows(page)).to_have_count(1)
    expect(line(page, "bert-base")).to_be_focused()
    until = wait_for(lambda: Notification.objects.get(pk=one.pk).snoozed_until)
    assert until is not None
    assert until.astimezone().hour == MORNING
    assert timedelta(0) < until - datetime.now(UTC) <= timedelta(hours=24 + MORNING)
    folder(page, "Snoozed").click()
    expect(row(page, "resnet50").locator(".flag")).to_contain_text("until")
    folder(page, "All").click()
    expect(rows(page)).to_have_count(1)
    Notification.objects.filter(pk=one.pk).update(snoozed_until=datetime.now(UTC))
    expect(row(page, "resnet50")).to_have_class(UNREAD_ROW)
    expect(rows(page).first).to_contain_text("resnet50")  # the older one, but the last to be due
    expect(rows(page).first).to_contain_text("back again")
    unread_in_bell(page, 2)
    line(page, "resnet50").click()
    unread_in_bell(page, 1)
    expect(rows(page).first).to_contain_text("resnet50")


def test_a_time_of_ones_own_to_come_back(visit: Visit, alice: User) -> None:
    tell(alice, "resnet50")
    page = alive(visit("/", alice, timezone_id="Asia/Shanghai"))
    row(page, "resnet50").hover()
    page.get_by_role("button", name="Snooze: resnet50").click()
    day = (datetime.now(UTC) + timedelta(days=20)).date()
    page.get_by_label("Until").fill(f"{day}T07:30")
    page.get_by_role("button", name="Snooze", exact=True).click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    until = wait_for(lambda: Notification.objects.get().snoozed_until)
    assert until is not None
    assert until.astimezone(UTC).isoformat() == f"{day - timedelta(days=1)}T23:30:00+00:00"
    undo(page, "Snoozed.")
    expect(row(page, "resnet50")).to_be_visible()


def test_a_range_is_selected_changed_and_taken_back_exactly(visit: Visit, alice: User) -> None:
    for number in range(6):
        tell(alice, f"job-{number}", read_at=datetime.now(UTC) if number == 3 else None)
    before = states()
    page = alive(visit("/", alice))
    box(page, "job-4").check()
    box(page, "job-1").click(modifiers=["Shift"])
    expect(bar(page).get_by_role("status")).to_have_text("4 selected")
    bar(page).get_by_role("button", name="Archive").click()
    expect(rows(page)).to_have_count(2)
    unread_in_bell(page, 2)
    wait_for(lambda: Notification.objects.filter(archived_at=None).count() == 2)
    undo(page, "4 archived.")
    expect(rows(page)).to_have_count(6)
    unread_in_bell(page, 5)
    wait_for(lambda: states() == before)


def test_all_that_match_are_changed_those_that_are_not_loaded_too(visit: Visit, alice: User) -> None:
    for number in range(65):
        tell(alice, f"job-{number:02}", "failed" if number % 2 else "running")
    before = states()
    page = alive(visit("/?event=failed", alice))
    expect(rows(page)).to_have_count(30)
    page.get_by_role("checkbox", name="Select all that are shown").check()
    expect(bar(page).get_by_role("status")).to_have_text("30 selected")
    page.get_by_role("button", name="Select all that match").click()
    expect(bar(page).get_by_role("status")).to_have_text("All that match are selected")
    bar(page).get_by_role("button", name="Archive").click()
    expect(toast(page, "32 archived.")).to_be_visible()
    expect(page.get_by_text("Nothing found")).to_be_visible()
    assert Notification.objects.filter(archived_at=None).count() == 33
    undo(page, "32 archived.")
    expect(rows(page).first).to_be_visible()
    wait_for(lambda: states() == before)


@pytest.mark.parametrize("what", ["Archive", "Mark as read", "Save"])
def test_what_the_server_refuses_is_put_back_with_a_message(visit: Visit, alice: User, what: str) -> None:
    tell(alice, "resnet50")
    page = alive(visit("/", alice, forgive="500"))
    page.route("**/bulk/", lambda route: route.fulfill(status=500))
    row(page, "resnet50").hover()
    page.get_by_role("button", name=f"{what}: resnet50").click()
    expect(toast(page, "The server answered with an error (500).")).to_be_visible()
    expect(row(page, "resnet50")).to_have_class(UNREAD_ROW)
    expect(row(page, "resnet50").get_by_text("Saved", exact=True)).to_have_count(0)
    unread_in_bell(page, 1)
    assert inbox.count_unread(alice.pk).unread == 1


def test_an_undo_that_the_server_refuses_leaves_the_rows_where_they_are(visit: Visit, alice: User) -> None:
    for number in range(3):
        tell(alice, f"job-{number}")
    page = alive(visit("/", alice, forgive="500|ERR_"))
    row(page, "job-1").hover()
    page.get_by_role("button", name="Archive: job-1").click()
    page.route("**/bulk/", lambda route: route.fulfill(status=500))
    page.route("**/api/v1/notifications/?*", lambda route: route.abort())
    undo(page, "Archived.")
    expect(toast(page, "It could not be taken back.")).to_be_visible()
    tell_live(alice, {"running": 1})
    expect(row(page, "running-0 is running")).to_be_visible()
    expect(row(page, "job-1")).to_have_count(0)
    unread_in_bell(page, 3)


def test_two_changes_of_a_row_at_once_both_hold(visit: Visit, alice: User) -> None:
    """The answer to the first must not bring back what the second has taken away."""
    tell(alice, "resnet50")
    page = alive(visit("/", alice))
    held: list[Route] = []
    page.route("**/bulk/", lambda route: held.append(route))
    line(page, "resnet50").focus()
    page.keyboard.press("u")
    page.keyboard.press("e")
    expect(rows(page)).to_have_count(0)
    wait_for(lambda: page.evaluate("true") and len(held) == 2)
    assert [json.loads(route.request.post_data or "")["action"] for route in held] == ["read", "archive"]
    held[0].continue_()
    expect(toast(page, "Marked as read.")).to_be_visible()
    expect(rows(page)).to_have_count(0)
    held[1].continue_()
    expect(toast(page, "Archived.")).to_be_visible()
    expect(rows(page)).to_have_count(0)
