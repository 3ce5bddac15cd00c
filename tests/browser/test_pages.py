"""What holds for every page: no accessibility defect, nothing that sticks out to the side."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.notices import tell
from tests.cluster import framework_name, submit

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "a-very-long-job-name-" * 8


NO_PRELOAD = {
    "preload": False,
    "resultTypes": ["violations"],
}  # which would put inline styles into shadow trees
SCHEMES: dict[Any, dict[str, Any]] = {
    "dark": {**NO_PRELOAD, "runOnly": ["color-contrast", "link-in-text-block"]},
    "light": NO_PRELOAD,
}
"""What axe looks for in each: all of it once, and what depends on colours in the other one too."""


def expect_accessible(page: Page) -> None:
    """In dark and in light, as which the page is left."""
    for scheme, options in SCHEMES.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page, options=options)
        assert found.violations_count == 0, (scheme, found.generate_report())


@pytest.fixture
def _stories(alice: User) -> None:
    submit("resnet50")
    submit(LONG)
    for event in ("running", "succeeded", "stopped", "retried", "waiting_too_long", "failed"):
        tell(alice, "resnet50", event)
    tell(alice, LONG)


PATHS = ["/", "/?tab=archived", "/jobs/", f"/jobs/{framework_name('resnet50')}/", "/job-file/", "/profile/"]


BELL = {"en": "Notifications, 7 unread", "zh-CN": "通知，7 条未读"}
ENGLISH_LEFT = """() => {
    const words = [];
    const look = (node) => {
        if (node.nodeType === Node.TEXT_NODE) words.push(...node.textContent.match(/[A-Za-z]{3,}( [a-z]{2,})+/g) ?? []);
        if (["SCRIPT", "STYLE", "SELECT", "CODE", "PRE", "TIME"].includes(node.nodeName)) return;
        if (node.classList?.contains("why")) return; // what somebody else has written
        for (const child of [...node.childNodes, ...(node.shadowRoot?.childNodes ?? [])]) look(child);
    };
    look(document.body);
    return words;
}"""
"""Two English words in a row, anywhere in the page or in a shadow tree; names of jobs have no spaces."""


@pytest.mark.usefixtures("_stories")
@pytest.mark.parametrize("locale", BELL)
@pytest.mark.parametrize("path", PATHS)
def test_the_page_is_accessible(visit: Visit, alice: User, path: str, locale: str) -> None:
    page = visit(path, alice, reduced_motion="reduce", locale=locale)
    expect(page.get_by_role("button", name=BELL[locale])).to_be_visible()
    expect_accessible(page)


@pytest.mark.usefixtures("_stories")
def test_no_english_is_left_in_a_chinese_page(visit: Visit, alice: User) -> None:
    for path in [*PATHS, "/nowhere/"]:
        page = visit(path, alice, locale="zh-CN", forgive="404")
        expect(page.get_by_role("button", name=BELL["zh-CN"])).to_be_visible()
        assert page.evaluate(ENGLISH_LEFT) == [], path


@pytest.mark.parametrize("locale", BELL)
def test_the_login_page_is_accessible(visit: Visit, db: None, locale: str) -> None:
    page = visit("/accounts/login/", reduced_motion="reduce", locale=locale)
    expect(page.get_by_role("heading", name="Notifcenter")).to_be_visible()
    expect_accessible(page)


@pytest.mark.usefixtures("_stories")
def test_the_open_panel_and_an_open_row_are_accessible(visit: Visit, alice: User) -> None:
    page = visit("/", alice, reduced_motion="reduce")
    page.locator("notif-inbox .notice summary").first.click()
    expect_accessible(page)
    page.get_by_role("button", name="Notifications, 6 unread").click()
    expect(page.get_by_role("dialog").get_by_text("resnet50 is running")).to_be_visible()
    expect_accessible(page)


@pytest.mark.usefixtures("_stories")
@pytest.mark.parametrize("width", [320, 1280, 1920])
def test_nothing_sticks_out(visit: Visit, alice: User, width: int) -> None:
    for path in ["/accounts/login/", *PATHS]:
        page = visit(path, alice if path in PATHS else None, viewport={"width": width, "height": 800})
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, path


def test_the_description_of_the_rest_is_readable_under_our_policy(visit: Visit, alice: User) -> None:
    page = visit("/api/docs/", alice)
    expect(page.get_by_role("heading", name="Notifcenter")).to_be_visible()
    page.locator(".opblock-summary-control").first.click()
    expect(page.locator(".opblock-body").first).to_be_visible()
    expect(page.locator("body")).to_have_css("margin", "0px")
