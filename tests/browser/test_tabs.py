"""Tabs of one browser: one connection for all of them, whatever becomes of the tab that has it."""

from __future__ import annotations

import contextlib

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, WebSocket, expect

from tests.browser.conftest import Visit, session_of
from tests.browser.portal import Portal, token_of
from tests.cluster import submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

TAKEN_OVER_MS = 20_000
"""A tab that follows asks every five seconds, and takes over when it has got no answer until the next time."""

DEAF_CHANNEL = "window.BroadcastChannel = class extends EventTarget { postMessage() {} close() {} }"
NO_LOCKS = "delete Navigator.prototype.locks"

Sockets = dict[Page, list[WebSocket]]


def open_tab(context: BrowserContext, sockets: Sockets, path: str = "/", script: str = "") -> Page:
    tab = context.new_page()
    if script:
        tab.add_init_script(script)
    opened = sockets[tab] = []
    tab.on("websocket", lambda socket: opened.append(socket))
    tab.goto(path)
    return tab


def is_live(tab: Page, sockets: Sockets) -> bool:
    tab.evaluate("0")  # lets the events of sockets come in
    return any(not one.is_closed() for one in sockets[tab])


def leaders(sockets: Sockets) -> list[Page]:
    return [tab for tab in sockets if not tab.is_closed() and is_live(tab, sockets)]


def expect_unread(tab: Page, count: int, timeout: float | None = None) -> None:
    name = f"Notifications, {count} unread" if count else "Notifications"
    expect(tab.get_by_role("button", name=name, exact=True)).to_be_visible(timeout=timeout)


@pytest.fixture
def sockets() -> Sockets:
    return {}


@pytest.fixture
def tabs(visit: Visit, alice: User, sockets: Sockets) -> list[Page]:
    """The first one leads."""
    window = visit(
        "about:blank", alice, forgive=r"ERR_|404 \(Not Found\)|401 \(Unauthorized\)"
    ).context  # a picture has no favicon; a page gets nothing once somebody else has signed in
    window.pages[0].close()
    first = open_tab(window, sockets)
    wait_for(lambda: is_live(first, sockets))
    tabs = [first, open_tab(window, sockets), open_tab(window, sockets, "/jobs/")]
    for tab in tabs:
        expect_unread(tab, 0)
    return tabs


def fail(job: str) -> None:
    update(submit(job), state="FAILED")


def test_one_connection_serves_all_tabs(tabs: list[Page], sockets: Sockets) -> None:
    fail("resnet50")
    for tab in tabs:
        expect_unread(tab, 1)
        expect(tab.locator("notif-toasts").get_by_text("resnet50 failed")).to_be_visible()
    assert leaders(sockets) == tabs[:1]
    assert [len(sockets[tab]) for tab in tabs] == [1, 0, 0]
    tabs[2].get_by_role("button", name="Notifications, 1 unread").click()
    tabs[2].get_by_role("button", name="Mark as read: resnet50").click()
    for tab in tabs:
        expect_unread(tab, 0)
    expect(tabs[1].locator("notif-inbox .notice")).to_have_count(1)
    expect(tabs[1].locator("notif-inbox .notice--unread")).to_have_count(0)


def test_a_tab_that_comes_later_knows_what_the_others_know(tabs: list[Page], sockets: Sockets) -> None:
    fail("resnet50")
    expect_unread(tabs[0], 1)
    late = open_tab(tabs[0].context, sockets, "/jobs/")
    expect_unread(late, 1)
    fail("bert-base")
    for tab in (*tabs, late):
        expect_unread(tab, 2)
    assert sockets[late] == []


def test_when_the_tab_with_the_connection_is_closed_another_takes_over(
    tabs: list[Page], sockets: Sockets
) -> None:
    for number in range(1, 3):
        [leader] = leaders(sockets)
        leader.close()
        fail(f"job-{number}")
        for tab in [tab for tab in tabs if not tab.is_closed()]:
            expect_unread(tab, number)
    assert len(leaders(sockets)) == 1


def test_when_the_tab_with_the_connection_crashes_another_takes_over(
    tabs: list[Page], sockets: Sockets
) -> None:
    leader, *others = tabs
    with leader.expect_event("crash"), contextlib.suppress(Exception):
        leader.goto("chrome://crash", wait_until="commit")
    fail("resnet50")
    for tab in others:
        expect_unread(tab, 1)
    del sockets[leader]
    assert len(leaders(sockets)) == 1


def test_a_frozen_tab_hands_over_and_catches_up_when_it_thaws(tabs: list[Page], sockets: Sockets) -> None:
    leader, *others = tabs
    devtools = leader.context.new_cdp_session(leader)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    fail("resnet50")
    for tab in others:
        expect_unread(tab, 1)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    expect_unread(leader, 1)
    fail("bert-base")
    for tab in tabs:
        expect_unread(tab, 2)
    assert len(leaders(sockets)) == 1


def test_a_tab_that_hangs_with_the_connection_loses_it(tabs: list[Page], sockets: Sockets) -> None:
    leader, *others = tabs
    leader.evaluate("setTimeout(() => { const end = Date.now() + 20_000; while (Date.now() < end); })")
    fail("resnet50")
    for tab in others:
        expect_unread(tab, 1, TAKEN_OVER_MS)
    expect_unread(leader, 1, TAKEN_OVER_MS)
    fail("bert-base")
    for tab in tabs:
        expect_unread(tab, 2)
        expect(tab.locator("notif-toasts").get_by_text("bert-base failed")).to_have_count(1)
    assert len(leaders(sockets)) == 1


@pytest.mark.whole_browser
def test_a_page_put_away_hands_over_and_follows_when_it_comes_back(
    tabs: list[Page], sockets: Sockets
) -> None:
    leader, *others = tabs
    leader.evaluate("addEventListener('pageshow', (event) => (window.persisted = event.persisted))")
    leader.goto("/static/notifcenter/icon.svg")  # sets no cookie, which would drop what is put away
    fail("resnet50")
    for tab in others:
        expect_unread(tab, 1)
    leader.go_back(wait_until="commit")
    expect_unread(leader, 1)
    assert leader.evaluate("window.persisted") is True
    fail("bert-base")
    for tab in tabs:
        expect_unread(tab, 2)
    assert len(sockets[leader]) == 1


@pytest.mark.parametrize("script", [NO_LOCKS, "delete window.BroadcastChannel"])
def test_a_browser_that_cannot_share_has_a_connection_for_each_tab(
    visit: Visit, alice: User, sockets: Sockets, script: str
) -> None:
    window = visit("about:blank", alice).context
    tabs = [open_tab(window, sockets, script=script) for _ in range(2)]
    fail("resnet50")
    for tab in tabs:
        expect_unread(tab, 1)
    assert leaders(sockets) == tabs


def test_tabs_that_share_locks_but_hear_nothing_of_each_other_end_up_alone(
    visit: Visit, alice: User, sockets: Sockets
) -> None:
    """As in frames whose storage the browser keeps apart."""
    window = visit("about:blank", alice).context
    tabs = [open_tab(window, sockets, script=DEAF_CHANNEL) for _ in range(2)]
    wait_for(lambda: leaders(sockets) == tabs)
    fail("resnet50")
    for tab in tabs:
        expect_unread(tab, 1)
    assert sum(map(len, sockets.values())) <= 3


def test_who_signs_in_as_somebody_else_shares_nothing(
    tabs: list[Page], sockets: Sockets, site: str, bob: User
) -> None:
    """The old tabs are the first user's, also when they connect again with the second one's cookie."""
    context = tabs[0].context
    context.add_cookies([{"name": "sessionid", "value": session_of(bob), "url": site}])
    his = open_tab(context, sockets)
    expect_unread(his, 0)
    update(submit("hers"), state="FAILED")
    for tab in tabs:
        expect_unread(tab, 1)
    tabs[0].close()
    update(submit("his", "bob"), state="FAILED")
    expect_unread(his, 1)
    tabs[2].get_by_role("button", name="Notifications, 1 unread").click()
    expect(tabs[2].get_by_text("Signed out, no longer live")).to_be_visible()
    for tab in tabs[1:]:
        expect_unread(tab, 1)
        expect(tab.get_by_text("his failed")).to_have_count(0)
    wait_for(lambda: leaders(sockets) == [his])  # a tab that asks whose it is has a connection for a moment


def test_two_tokens_in_one_browser_share_nothing(
    visit: Visit, site: str, portal: Portal, alice: User, bob: User, sockets: Sockets
) -> None:
    page = (
        '<!doctype html><html lang="en"><title>Portal</title><link rel="icon" href="data:,">'
        '<notif-bell base-url="{site}" token="{token}"></notif-bell>'
        '<script type="module" src="{site}/static/notifcenter/define.js"></script>'
    )
    window = visit("about:blank").context
    tabs = []
    for token in (token_of("alice"), token_of("bob"), token_of("alice", 500)):
        portal.html = page.format(site=site, token=token)
        tabs.append(open_tab(window, sockets, portal.url))
        expect_unread(tabs[-1], 0)
    hers, his, hers_too = tabs
    update(submit("hers"), state="FAILED")
    for tab in (hers, hers_too):
        expect_unread(tab, 1)
    expect_unread(his, 0)
    assert len(leaders(sockets)) == 3
