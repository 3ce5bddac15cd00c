"""Whatever arrives while the list is being loaded, or while the network is away: no row is missing."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from notifications.consumers import MAX_BACKLOG
from notifications.models import Notification
from tests.browser.conftest import Visit
from tests.browser.inbox import alive, row, rows
from tests.browser.notices import tell, tell_live
from tests.cluster import submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def shown_ids(page: Page) -> list[int]:
    return [int(one.get_attribute("data-id") or "") for one in rows(page).all()]


def newest_ids(count: int) -> list[int]:
    return list(Notification.objects.order_by("-id").values_list("id", flat=True)[:count])


def test_no_rows_are_missing_between_what_was_shown_and_what_came_while_the_network_was_away(
    visit: Visit, alice: User
) -> None:
    for number in range(31):
        tell(alice, f"before-{number}")
    page = alive(visit("/", alice, forgive="ERR_"))
    expect(rows(page)).to_have_count(30)
    page.context.set_offline(True)
    expect(page.get_by_text("Offline, trying again").first).to_be_visible()
    tell_live(alice, {"failed": MAX_BACKLOG + 10})
    page.context.set_offline(False)
    expect(row(page, f"failed-{MAX_BACKLOG + 9} failed")).to_be_visible()
    shown = shown_ids(page)
    assert shown == newest_ids(len(shown))


def test_what_comes_between_the_list_and_the_hello_is_shown(visit: Visit, alice: User) -> None:
    """A page that asks for its list itself, as in another site, knows of no id before the hello."""
    tell(alice, "before")
    page = visit("about:blank", alice)
    waiting: list[WebSocketRoute] = []
    page.route_web_socket(re.compile("/ws/"), lambda socket: waiting.append(socket))
    with page.expect_response("**/api/v1/notifications/?*"):
        page.goto("/?cursor=cD05OTk5OTk=")
    expect(row(alive(page), "before failed")).to_be_visible()
    wait_for(lambda: page.evaluate("true") and waiting)
    tell(alice, "meanwhile")
    waiting[0].connect_to_server()
    expect(row(page, "meanwhile failed")).to_be_visible()


def test_no_rows_are_missing_when_more_arrive_while_older_ones_are_on_their_way(
    visit: Visit, alice: User
) -> None:
    for number in range(140):
        tell(alice, f"before-{number}")
    page = alive(visit("/", alice))
    held: list[Route] = []
    for count in (60, 90):
        with page.expect_response("**/notifications/?*cursor=*"):
            page.get_by_role("button", name="Load more").scroll_into_view_if_needed()
        expect(rows(page)).to_have_count(count)
    page.route("**/notifications/?*cursor=*", lambda route: held.append(route))
    page.get_by_role("button", name="Load more").scroll_into_view_if_needed()
    wait_for(lambda: page.evaluate("true") and held)
    tell_live(alice, {"running": 20})
    expect(page.get_by_role("button", name="20 new")).to_be_visible()
    held[0].continue_()
    expect(row(page, "before-20 failed")).to_be_visible()
    page.get_by_role("button", name="20 new").click()
    expect(row(page, "running-19 is running")).to_be_visible()
    shown = shown_ids(page)
    assert shown == newest_ids(len(shown))


def test_what_arrives_before_the_list_is_alive_is_neither_lost_nor_uncounted(
    visit: Visit, alice: User
) -> None:
    page = visit("about:blank", alice)
    scripts: list[Route] = []
    page.route("**/notif-inbox.js", lambda route: scripts.append(route))
    page.goto("/")
    update(submit("resnet50"), state="FAILED")
    unread = page.get_by_role("button", name="Notifications, 1 unread", exact=True)
    expect(unread).to_be_visible()
    wait_for(lambda: page.evaluate("true") and scripts)[0].continue_()
    expect(row(page, "resnet50 failed")).to_be_visible()
    expect(page.get_by_role("button", name="Archive: resnet50")).to_be_attached()
    expect(unread).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\(1\) Inbox"))


def test_load_more_goes_on_behind_rows_that_were_pushed_out_by_what_arrived(
    visit: Visit, alice: User
) -> None:
    """Where the list then goes on is the page's own reckoning, not the server's."""
    for number in range(30):
        tell(alice, f"before-{number}")
    page = alive(visit("/", alice))
    expect(rows(page)).to_have_count(30)
    tell_live(alice, {"running": MAX_BACKLOG - 5})
    expect(row(page, f"running-{MAX_BACKLOG - 6} is running")).to_be_visible()
    expect(rows(page)).to_have_count(100)
    page.get_by_role("button", name="Load more").scroll_into_view_if_needed()
    expect(row(page, "before-0 failed")).to_be_visible()
    assert shown_ids(page) == newest_ids(MAX_BACKLOG + 25)
