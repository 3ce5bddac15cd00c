"""The bell and the toasts, on real changes of the cluster's table."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from notifications.models import Notification
from tests.browser.conftest import Visit
from tests.browser.notices import quiet_but_for_failures, tell, tell_live
from tests.cluster import ALL_EVENTS, submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = "<img src=x onerror=alert(1)>"


def bell(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Notifications"))


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Notifications")


def expect_unread(page: Page, count: str) -> None:
    name = f"Notifications, {count} unread" if count else "Notifications"
    expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


def test_the_bell_counts_up_in_two_tabs_when_a_job_fails(visit: Visit, alice: User, bob: User) -> None:
    tabs = [visit("/", alice), visit("/jobs/", alice)]
    stranger = visit("/", bob)
    for tab in [*tabs, stranger]:
        expect_unread(tab, "")
    for number, job in enumerate(["resnet50", "bert-base"], 1):
        update(submit(job), state="FAILED", appExitCode=255)
        for tab in tabs:
            expect_unread(tab, str(number))
            expect(tab.locator("notif-toasts").get_by_text(f"{job} failed")).to_be_visible()
    expect(tabs[0].locator("notif-inbox").get_by_text("bert-base failed")).to_be_visible()
    expect(tabs[0]).to_have_title(re.compile(r"^\(2\) Inbox"))
    expect_unread(stranger, "")


def test_what_is_read_in_one_tab_is_read_in_the_other(visit: Visit, alice: User) -> None:
    tell(alice, "resnet50")
    tell(alice, "bert-base")
    one, other = visit("/jobs/", alice), visit("/?tab=unread", alice)
    expect_unread(other, "2")
    bell(one).click()
    panel(one).get_by_role("button", name="Mark as read: resnet50").click()
    for tab in (one, other):
        expect_unread(tab, "1")
    expect(other.locator("notif-inbox").get_by_text("resnet50 failed")).to_have_count(0)
    expect(other.locator("notif-inbox").get_by_text("bert-base failed")).to_be_visible()
    panel(one).get_by_role("button", name="Mark all read").click()
    for tab in (one, other):
        expect_unread(tab, "")
    assert not Notification.objects.filter(read_at=None).exists()


def test_a_row_of_the_panel_is_marked_and_all_of_it_and_both_are_taken_back(
    visit: Visit, alice: User
) -> None:
    for number in range(12):
        tell(alice, f"job-{number:02}")
    page = visit("/jobs/", alice)
    bell(page).click()
    panel(page).get_by_role("button", name="Mark as read: job-11").click()
    expect_unread(page, "11")
    panel(page).get_by_role("button", name="Mark as unread: job-11").click()
    expect_unread(page, "12")
    wait_for(lambda: not Notification.objects.exclude(read_at=None).exists())
    panel(page).get_by_role("button", name="Mark as read: job-11").click()
    expect_unread(page, "11")
    wait_for(lambda: Notification.objects.exclude(read_at=None).count() == 1)
    panel(page).get_by_role("button", name="Mark all read").click()
    expect(panel(page).get_by_role("status")).to_contain_text("11 marked as read.")
    expect_unread(page, "")
    panel(page).get_by_role("button", name="Undo").click()
    expect_unread(page, "11")
    read = Notification.objects.exclude(read_at=None).values_list("job_name", flat=True)
    wait_for(lambda: list(read.all()) == ["job-11"])
    expect(panel(page).get_by_role("button", name="Mark all read")).to_be_visible()


def test_a_hostile_job_name_is_shown_as_text(visit: Visit, alice: User) -> None:
    page = visit("/", alice)
    expect(
        page.locator("notif-inbox").get_by_text("Nothing here yet")
    ).to_be_visible()  # what comes now is new to it
    update(submit(HOSTILE), state="FAILED")
    expect(page.locator("notif-toasts").get_by_text(f"{HOSTILE} failed")).to_be_visible()  # it goes by itself
    expect_unread(page, "1")
    bell(page).click()
    for place in (panel(page), page.locator("notif-inbox")):
        expect(place.get_by_text(f"{HOSTILE} failed").first).to_be_visible()
    page.reload()
    expect(page.locator("notif-inbox").get_by_text(f"{HOSTILE} failed")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_escape_closes_the_panel_and_gives_the_focus_back(visit: Visit, alice: User) -> None:
    tell(alice)
    page = visit("/profile/", alice)
    bell(page).focus()
    page.keyboard.press("Enter")
    expect(panel(page).get_by_text("resnet50 failed")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(bell(page)).to_be_focused()


def test_opening_a_row_marks_it_as_read_and_leads_to_the_job(visit: Visit, alice: User) -> None:
    name = submit("resnet50")
    tell(alice, "resnet50")
    page = visit("/profile/", alice)
    bell(page).click()
    panel(page).get_by_role("link", name="resnet50 failed").click()
    page.wait_for_url(f"**/jobs/{name}/")
    expect_unread(page, "")


def test_in_quiet_hours_only_failures_are_shown_in_the_corner(visit: Visit, alice: User) -> None:
    quiet_but_for_failures(alice)
    page = visit("/", alice)
    expect_unread(page, "")
    update(submit("quiet", **ALL_EVENTS), state="RUNNING")
    expect_unread(page, "1")
    update(submit("loud", **ALL_EVENTS), state="FAILED")
    toasts = page.locator("notif-toasts")
    expect(toasts.get_by_text("loud failed")).to_be_visible()
    expect(toasts.locator(".toast")).to_have_count(1)
    expect(page.locator("notif-inbox").get_by_text("quiet is running")).to_be_visible()


def test_a_change_that_fails_is_taken_back_with_a_message(visit: Visit, alice: User) -> None:
    tell(alice)
    page = visit("/profile/", alice, forgive="Failed to load resource")
    page.route("**/mark-read/", lambda route: route.fulfill(status=500, body="{}"))
    bell(page).click()
    panel(page).get_by_role("button", name="Mark as read: resnet50").click()
    expect(panel(page).get_by_role("alert")).to_contain_text("could not be marked as read")
    expect_unread(page, "1")
    expect(panel(page).get_by_role("button", name="Mark as read: resnet50")).to_be_visible()


def test_the_panel_says_when_the_list_cannot_be_loaded(visit: Visit, alice: User) -> None:
    tell(alice)
    page = visit("/profile/", alice, forgive="Failed to load resource")
    page.route("**/api/v1/notifications/?*", lambda route: route.fulfill(status=503, body="{}"))
    bell(page).click()
    expect(panel(page).get_by_text("could not be loaded")).to_be_visible()
    page.unroute("**/api/v1/notifications/?*")
    panel(page).get_by_role("button", name="Try again").click()
    expect(panel(page).get_by_text("resnet50 failed")).to_be_visible()


def test_a_hundred_unread_are_shown_as_99_plus(visit: Visit, alice: User) -> None:
    for number in range(100):
        tell(alice, f"job-{number}", "running")
    expect_unread(visit("/profile/", alice), "99+")


def test_who_signs_in_again_elsewhere_is_live_again_on_coming_back(visit: Visit, alice: User) -> None:
    tell(alice)
    page = visit("about:blank", alice)
    sockets: list[WebSocketRoute] = []

    def first_refused(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if len(sockets) == 1:
            socket.close(code=4401, reason="Sign in first.")
        else:
            socket.connect_to_server()

    page.route_web_socket("**/ws/notifications/*", first_refused)
    page.goto("/profile/")
    bell(page).click()
    expect(panel(page).get_by_text("Signed out, no longer live")).to_be_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect_unread(page, "1")
    expect(panel(page).get_by_text("resnet50 failed")).to_be_visible()


def test_rows_that_go_leave_nothing_behind(visit: Visit, alice: User) -> None:
    """A page stays open for weeks: whatever a row leaves in it adds up."""
    page = visit("/jobs/", alice)
    bell(page).click()
    nodes = []
    for event in ("running", "succeeded"):
        tell_live(alice, {event: 12})
        expect(panel(page).get_by_role("listitem")).to_have_count(10)
        expect(panel(page).get_by_role("link", name=f"{event}-11")).to_be_visible()
        nodes.append(panel(page).locator("ul").evaluate("list => list.childNodes.length"))
    assert nodes[0] == nodes[1]
