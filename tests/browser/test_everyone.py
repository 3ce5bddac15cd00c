"""Every page and element for everyone: at 400 % zoom, by finger, by keyboard, in forced colours, without motion, from
right to left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from notifications.groups.models import JobGroup
from notifications.models import Notification
from tests.browser.conftest import Visit
from tests.browser.notices import tell
from tests.browser.portal import Portal, token_of
from tests.browser.test_embedding import EVERYTHING
from tests.browser.test_pages import LONG
from tests.cluster import framework_name, submit
from tests.processes import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

ZOOMED = {"width": 320, "height": 256}
"""A window of 1280 × 1024 at 400 % (WCAG 2.2, 1.4.10)."""
ELEMENTS = "every element in another site's page"
SWEEP = "/groups/{group}/"
PATHS = [
    "/accounts/login/",
    "/",
    "/?group=job&tab=unread",
    "/jobs/",
    f"/jobs/{framework_name('resnet50')}/",
    SWEEP,
    "/job-file/",
    "/profile/",
]
EVERYWHERE = [*PATHS, ELEMENTS]

PROBES = (ROOT / "tests" / "data" / "probes.js").read_text()


def ask(page: Page, question: str) -> Any:
    return page.evaluate(f"({PROBES}).{question}()")


@pytest.fixture
def go(visit: Visit, site: str, portal: Portal, alice: User) -> Callable[..., Page]:
    """Opens a page that has something to show of everything; `dir` is its direction."""

    def open_page(where: str, *, dir: str = "ltr", **options: Any) -> Page:
        submit("resnet50")
        submit(LONG)
        group = JobGroup.objects.create(
            key=uuid4(),
            number=1,
            user_name="alice",
            virtual_cluster="default",
            stem="resnet50-lr=*",
            started_at=timezone.now(),
            changed_at=timezone.now(),
            jobs=3,
            running=2,
            failed=1,
        )
        for event in ("running", "succeeded", "stopped", "retried", "waiting_too_long", "alert", "failed"):
            tell(alice, "resnet50", event)
        tell(alice, LONG, saved=True)
        Notification.objects.filter(event__in=("stopped", "running")).update(
            group=group, read_at=timezone.now()
        )
        if where == ELEMENTS:
            portal.html = EVERYTHING.format(site=site, token=token_of("alice"), lang="en", dir=dir)
            page = visit(f"{portal.url}/", **options)
            expect(page.get_by_role("heading", name="Times and language")).to_be_visible()
        else:
            page = visit(where.format(group=group.pk), None if "login" in where else alice, **options)
            page.evaluate("dir => { document.documentElement.dir = dir }", dir)
        if "login" not in where:
            expect(page.get_by_role("button", name="Notifications, 6 unread")).to_be_visible()
        if where.startswith("/?") or where in ("/", ELEMENTS):
            expect(page.locator("notif-inbox [data-top]")).to_be_attached()
            page.locator("notif-inbox .notice > details > summary").first.click()
        return page

    return open_page


def open_panel(page: Page) -> Locator:
    page.get_by_role("button", name="Notifications").click()
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel.get_by_role("listitem")).to_have_count(8)
    return panel


@pytest.mark.parametrize("where", EVERYWHERE)
def test_at_400_percent_nothing_is_cut_off_or_scrolls_sideways(go: Callable[..., Page], where: str) -> None:
    page = go(where, viewport=ZOOMED)
    for direction in ("ltr", "rtl"):
        page.evaluate("dir => { document.documentElement.dir = dir }", direction)
        assert ask(page, "overflow") <= 0, direction
        assert ask(page, "cutOff") == [], direction
        if "login" in where:
            continue
        panel = open_panel(page)
        assert ask(page, "overflow") <= 0, direction
        assert ask(page, "cutOff") == [], direction
        panel.get_by_role("link", name="Open inbox").scroll_into_view_if_needed()
        expect(panel.get_by_role("link", name="Open inbox")).to_be_in_viewport(ratio=0.9)
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("where", EVERYWHERE)
def test_every_target_is_large_enough_or_stands_alone(
    go: Callable[..., Page], where: str, width: int
) -> None:
    page = go(where, viewport={"width": width, "height": 900}, has_touch=width < 500)
    assert ask(page, "small") == []
    if "login" not in where:
        open_panel(page)
        assert ask(page, "small") == []


@pytest.mark.parametrize("where", EVERYWHERE)
def test_what_has_the_focus_is_seen_and_has_a_ring(go: Callable[..., Page], where: str) -> None:
    """By Tab to the end and by Shift+Tab back: never below what sticks to an edge of the window (WCAG 2.2, 2.4.11)."""
    page = go(where, viewport={"width": 1280, "height": 500}, reduced_motion="reduce")
    for width, height in ((1280, 500), (390, 500), (320, 256)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        steps = min(60, ask(page, "count"))
        for key in ("Tab", "Shift+Tab"):
            for _ in range(steps):
                page.keyboard.press(key)
                focused = ask(page, "focused")
                assert focused is None or focused["seen"], (width, focused)
                assert focused is None or focused["ring"], (width, focused)


@pytest.mark.parametrize("where", EVERYWHERE)
def test_without_motion_nothing_moves(go: Callable[..., Page], where: str) -> None:
    page = go(where, reduced_motion="reduce")
    assert ask(page, "moving") == []
    if "login" not in where:
        open_panel(page)
        assert ask(page, "moving") == []


@pytest.mark.parametrize("where", EVERYWHERE)
def test_forced_colours_leave_no_control_unseen(go: Callable[..., Page], where: str) -> None:
    page = go(where, forced_colors="active")
    assert ask(page, "faded") == []
    if "login" not in where:
        open_panel(page)
        assert ask(page, "faded") == []


@pytest.mark.parametrize("where", [one for one in EVERYWHERE if "login" not in one])
def test_from_right_to_left_all_is_mirrored(go: Callable[..., Page], where: str) -> None:
    """The bell is at the left, its panel inside the window, and the page's text begins at the right."""
    page = go(where, dir="rtl", viewport={"width": 1280, "height": 800})
    bell = page.get_by_role("button", name="Notifications")
    place = bell.bounding_box()
    assert place is not None
    if where != ELEMENTS:
        assert place["x"] < 640
        heading = page.get_by_role("heading", level=1).first
        assert heading.evaluate("one => getComputedStyle(one).direction") == "rtl"
    panel = open_panel(page).bounding_box()
    assert panel is not None
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= 1280
    assert ask(page, "overflow") <= 0
