"""The inbox for everyone: its states without a defect, in every size, from right to left, in forced colours."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.inbox import alive, bar, box, line, row, rows
from tests.browser.notices import tell
from tests.browser.test_pages import LONG, expect_accessible
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = ("running", "succeeded", "stopped", "retried", "waiting_too_long", "alert", "failed")


@pytest.fixture
def _stories(alice: User) -> None:
    for event in EVENTS:
        tell(alice, "resnet50", event)
    tell(alice, LONG, saved=True)
    tell(alice, "bert-base")


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def go_through_states(page: Page, check: Any) -> None:
    """Rows grouped and open, selected, with what opens over them."""
    page.get_by_role("link", name="By job").click()
    line(page, "7 notifications").click()
    row(page, "resnet50 failed").locator("summary").first.click()
    expect(row(page, "resnet50 failed").get_by_text("Exit code", exact=True)).to_be_visible()
    box(page, "bert-base").check()
    expect(bar(page).get_by_role("status")).to_have_text("1 selected")
    check(page)
    page.keyboard.press("h")
    expect(page.get_by_role("dialog", name="Snooze")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")


@pytest.mark.usefixtures("_stories")
@pytest.mark.parametrize("width", [390, 1280])
def test_every_state_is_accessible(visit: Visit, alice: User, width: int) -> None:
    size = {"width": width, "height": 800}
    page = alive(visit("/", alice, reduced_motion="reduce", viewport=size))
    go_through_states(page, expect_accessible)


@pytest.mark.usefixtures("_stories")
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize(("width", "height"), [(320, 256), (320, 640), (768, 900), (1920, 1080)])
def test_nothing_sticks_out_in_any_state(
    visit: Visit, alice: User, width: int, height: int, direction: str
) -> None:
    """320 × 256 is a window of 1280 × 1024 at 400 %."""
    page = alive(visit("/", alice, viewport={"width": width, "height": height}))
    page.evaluate("direction => { document.documentElement.dir = direction }", direction)

    def check(page: Page) -> None:
        assert overflow(page) <= 0
        for panel in page.locator(".menu:popover-open, .help[open]").all():
            place = panel.bounding_box()
            assert place is not None
            assert place["x"] >= 0
            assert place["x"] + place["width"] <= width

    go_through_states(page, check)


@pytest.mark.usefixtures("_stories")
def test_the_row_with_the_focus_is_never_under_the_header_or_the_bar(visit: Visit, alice: User) -> None:
    for number in range(20):
        tell(alice, f"job-{number:02}")
    page = alive(visit("/", alice, viewport={"width": 1280, "height": 500}))
    box(page, "job-19").check()
    for _ in range(20):
        page.keyboard.press("j")
    for _ in range(15):
        page.keyboard.press("k")
    uncovered = """() => {
        const place = document.activeElement.getBoundingClientRect();
        const top = document.elementFromPoint(place.left + 80, place.top + 4);
        return document.activeElement.localName === "summary" && document.activeElement.contains(top);
    }"""
    wait_for(lambda: page.evaluate(uncovered), what="the row with the focus is in sight")


BORDER = "one => getComputedStyle(one).borderBottomColor"
GROUND = "one => getComputedStyle(one).backgroundColor"


@pytest.mark.usefixtures("_stories")
def test_forced_colours_show_what_is_unread_selected_and_current(visit: Visit, alice: User) -> None:
    page = alive(visit("/", alice, forced_colors="active"))
    for name in ("By day", "All"):
        current = page.get_by_role("link", name=name, exact=True)
        expect(current).to_have_css("outline-style", "solid")
    main = page.get_by_role("navigation", name="Main")
    here, elsewhere = (main.get_by_role("link", name=name) for name in ("Inbox", "Jobs"))
    expect(here).to_have_css("outline-style", "solid")
    expect(elsewhere).to_have_css("outline-style", "none")
    assert elsewhere.evaluate(BORDER) == page.locator("body").evaluate(GROUND)
    box(page, "bert-base").check()
    selected = row(page, "bert-base")
    expect(selected).to_have_css("outline-style", "solid")
    picture = row(page, "resnet50 failed").locator(".mark")
    assert picture.evaluate(
        "mark => getComputedStyle(mark, '::before').backgroundColor !== getComputedStyle(mark).backgroundColor"
    )


ORDER = """one => {
    const text = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    while (!text.nextNode().data.trim());
    const placeOf = (at) => {
        const range = document.createRange();
        range.setStart(text.currentNode, at);
        range.setEnd(text.currentNode, at + 1);
        return range.getBoundingClientRect().left;
    };
    const { data } = text.currentNode;
    const first = data.search(/\\S/);
    return [placeOf(first), placeOf(data.trimEnd().length - 1)];
}"""
"""Where the first and the last letter of a text stand."""


@pytest.mark.usefixtures("_stories")
def test_in_a_page_from_right_to_left_texts_keep_their_own_order(visit: Visit, alice: User) -> None:
    """English in an Arabic page: "5 min. ago" begins with its number, and stands at the right."""
    page = alive(visit("/", alice))
    page.evaluate("document.documentElement.dir = 'rtl'")
    one = row(page, "resnet50 failed").first
    line(page, "resnet50 failed").first.click()
    for text in (one.locator("time > span").first, one.get_by_text("Ask for more memory per task.")):
        first, last = text.evaluate(ORDER)
        assert first < last
    title, mark = (one.locator(part).bounding_box() for part in (".notice__title", ".mark"))
    assert title is not None
    assert mark is not None
    assert 0 < mark["x"] - (title["x"] + title["width"]) < 40
    expect(one.locator(".notice__title")).to_have_css("text-align", "right")


@pytest.mark.usefixtures("_stories")
def test_rows_say_everything_in_words(visit: Visit, alice: User) -> None:
    """Event, state and exact time, to who does not see colour, icon or layout."""
    page = alive(visit("/", alice, timezone_id="UTC"))
    expect(rows(page)).to_have_count(9)
    expect(line(page, "resnet50 failed")).to_have_accessible_name(
        re.compile(r"^Unread: resnet50 failed.* Failed .*\d{4}, .*UTC")
    )
