"""The inbox by keyboard alone; the focus is never lost."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from notifications.models import Notification
from tests.browser.conftest import Visit
from tests.browser.inbox import UNREAD_ROW, alive, bar, box, line, row, rows, toast
from tests.browser.notices import tell
from tests.cluster import submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(visit: Visit, alice: User) -> Page:
    """Four jobs, from alpha, the newest, to delta."""
    for job in ("delta", "gamma", "beta", "alpha"):
        tell(alice, job)
    return alive(visit("/", alice))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_from_anywhere_on_the_page_j_and_k_move_and_enter_opens(page: Page) -> None:
    press(page, "j")
    expect(line(page, "alpha")).to_be_focused()
    press(page, "j", "j", "k")
    expect(line(page, "beta")).to_be_focused()
    press(page, "Enter")
    expect(row(page, "beta").get_by_text("Ask for more memory per task.")).to_be_visible()
    expect(row(page, "beta")).not_to_have_class(UNREAD_ROW)


def test_single_keys_archive_save_mark_and_take_back(page: Page) -> None:
    press(page, "j", "s")
    expect(row(page, "alpha").get_by_text("Saved", exact=True)).to_be_attached()
    press(page, "u")
    expect(row(page, "alpha")).not_to_have_class(UNREAD_ROW)
    press(page, "u")
    expect(row(page, "alpha")).to_have_class(UNREAD_ROW)
    press(page, "e")
    expect(rows(page)).to_have_count(3)
    expect(line(page, "beta")).to_be_focused()
    expect(toast(page, "Archived.")).to_be_visible()
    press(page, "z")
    expect(rows(page)).to_have_count(4)
    expect(line(page, "beta")).to_be_focused()
    wait_for(lambda: not Notification.objects.exclude(archived_at=None).exists())


def test_rows_are_selected_and_changed_together(page: Page) -> None:
    press(page, "j", "x", "j", "j", "Shift+X")
    expect(bar(page).get_by_role("status")).to_have_text("3 selected")
    press(page, "Escape")
    expect(box(page, "beta")).not_to_be_checked()
    press(page, "a", "x", "e")
    expect(rows(page)).to_have_count(1)
    expect(line(page, "gamma")).to_be_focused()


def test_snooze_and_mute_ask_until_when_and_give_the_focus_back(page: Page) -> None:
    press(page, "j", "h")
    expect(page.get_by_role("button", name="For an hour")).to_be_focused()
    press(page, "Escape")
    expect(line(page, "alpha")).to_be_focused()
    press(page, "m")
    expect(page.get_by_role("dialog", name="Mute the job")).to_be_visible()
    press(page, "Escape", "h", "Enter")
    expect(rows(page)).to_have_count(3)
    expect(line(page, "beta")).to_be_focused()


def test_search_and_back(page: Page) -> None:
    press(page, "/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("gejs")
    expect(search).to_have_value("gejs")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    search.fill("gam")
    expect(rows(page)).to_have_count(1)
    press(page, "Escape", "j")
    expect(line(page, "gamma")).to_be_focused()


def test_the_keys_are_listed_and_can_be_switched_off(page: Page) -> None:
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_text("Archive, or move back to the inbox")).to_be_visible()
    dialog.get_by_label("Single keys work").uncheck()
    press(page, "Escape", "j", "?")
    expect(dialog).to_be_hidden()
    page.reload()
    alive(page)
    press(page, "j")
    assert page.evaluate("document.activeElement === document.body")
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_label("Single keys work").check()
    press(page, "Escape", "j")
    expect(line(page, "alpha")).to_be_focused()


def test_when_a_row_is_archived_elsewhere_the_focus_goes_to_its_neighbour(page: Page, alice: User) -> None:
    line(page, "delta").focus()
    other = page.context.new_page()
    other.goto("/")
    alive(other)
    row(other, "delta").hover()
    other.get_by_role("button", name="Archive: delta").click()
    expect(rows(page)).to_have_count(3)
    expect(line(page, "gamma")).to_be_focused()


def test_the_last_row_leaves_the_focus_in_the_list(page: Page) -> None:
    press(page, "j", "a", "e")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    wait_for(
        lambda: page.evaluate("document.activeElement !== document.body"), what="something has the focus"
    )


def test_what_arrives_does_not_take_the_focus(page: Page, alice: User) -> None:
    press(page, "j", "j")
    update(submit("resnet50"), state="FAILED")
    expect(rows(page)).to_have_count(5)
    expect(line(page, "beta")).to_be_focused()
