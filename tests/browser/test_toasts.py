"""What shows in the corner, and what is read out: many become one, nothing takes the focus or goes while in use."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit, goto_live
from tests.browser.notices import tell_live
from tests.cluster import submit, update

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(visit: Visit, alice: User) -> Page:
    page = visit("about:blank", alice)
    goto_live(page, "/")
    return page


def toasts(page: Page) -> Locator:
    return page.locator("notif-toasts .toast")


def fail(job: str) -> None:
    update(submit(job), state="FAILED")


def expect_toast(page: Page, text: str) -> None:
    expect(page.locator("notif-toasts .toast").get_by_text(text)).to_be_visible()


def test_many_at_once_become_one_and_do_not_take_the_focus(page: Page, alice: User) -> None:
    search = page.get_by_role("searchbox")
    search.focus()
    tell_live(alice, {"failed": 9, "succeeded": 3})
    expect(toasts(page)).to_have_count(1)
    expect_toast(page, "12 new notifications: 9 failed, 3 succeeded")
    expect(search).to_be_focused()
    expect(page.get_by_role("button", name="Notifications, 12 unread")).to_be_visible()
    expect(page.locator("notif-bell").get_by_role("status")).to_have_text(
        "12 new notifications: 9 failed, 3 succeeded"
    )


def test_what_is_looked_at_stays_where_it_is(page: Page) -> None:
    fail("job-0")
    toasts(page).hover()
    for number in range(1, 8):
        fail(f"job-{number}")
    expect_toast(page, "5 new notifications: 5 failed")
    expect(toasts(page)).to_have_count(4)
    expect_toast(page, "job-0 failed")


def test_they_go_by_themselves_but_not_while_the_pointer_or_the_focus_is_there(
    visit: Visit, alice: User
) -> None:
    page = visit("about:blank", alice, toasts_stay=False)
    goto_live(page, "/")
    page.clock.install()
    fail("job-0")
    toasts(page).hover()
    page.clock.run_for(60_000)
    expect_toast(page, "job-0 failed")
    page.mouse.move(0, 0)
    toasts(page).get_by_role("button", name="Dismiss").focus()
    page.clock.run_for(60_000)
    expect_toast(page, "job-0 failed")
    page.get_by_role("searchbox").focus()
    page.clock.run_for(60_000)
    expect(toasts(page)).to_have_count(0)


def test_the_keyboard_dismisses_them_and_gets_back_to_where_it_was(page: Page) -> None:
    search = page.get_by_role("searchbox")
    for number in range(3):
        fail(f"job-{number}")
        expect_toast(page, f"job-{number} failed")
    toasts(page).first.hover()
    search.focus()
    toasts(page).first.get_by_role("button", name="Dismiss").focus()
    page.keyboard.press("Enter")
    expect(toasts(page)).to_have_count(2)
    expect(toasts(page).first.get_by_role("button", name="Dismiss")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(toasts(page)).to_have_count(0)
    expect(search).to_be_focused()


def test_a_click_that_dismisses_one_leaves_the_focus_where_it_was(page: Page) -> None:
    search = page.get_by_role("searchbox")
    search.focus()
    fail("job-0")
    fail("job-1")
    expect(toasts(page)).to_have_count(2)
    toasts(page).first.get_by_role("button", name="Dismiss").click()
    expect(toasts(page)).to_have_count(1)
    expect(search).to_be_focused()


def test_they_do_not_move_when_motion_is_not_wanted(visit: Visit, alice: User) -> None:
    page = visit("about:blank", alice, reduced_motion="reduce")
    goto_live(page, "/")
    fail("job-0")
    expect(toasts(page)).to_have_css("animation-name", "none")


def test_screen_readers_hear_a_storm_in_few_sentences(page: Page, alice: User) -> None:
    page.evaluate(
        """() => {
          window.heard = [];
          const place = document.querySelector("notif-bell").shadowRoot.querySelector("[role=status]");
          const watcher = new MutationObserver(() => heard.push(place.textContent));
          watcher.observe(place, { characterData: true, subtree: true, childList: true });
        }"""
    )
    fail("first")
    status = page.locator("notif-bell").get_by_role("status")
    expect(status).to_have_text(re.compile("^first failed"))
    for _ in range(5):
        tell_live(alice, {"running": 10})
    expect(page.get_by_role("button", name="Notifications, 51 unread")).to_be_visible()
    expect(status).to_have_text("50 new notifications: 50 running", timeout=20_000)
    assert len(page.evaluate("window.heard")) == 2
