"""What is told outside of the page: title and picture of the tab, notifications of the browser, a sound."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Locator, Page, expect
from pytest_django.fixtures import Settings

from notifications.models import Notification
from tests.browser.conftest import Visit, goto_live
from tests.browser.notices import quiet_but_for_failures, tell_live
from tests.cluster import ALL_EVENTS, submit, update
from tests.processes import wait_for
from tests.push import KEY, Browser, add_browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.whole_browser]

RECORD = """
  window.shown = [];
  window.played = 0;
  window.Notification = class extends window.Notification {
    constructor(title, options) { super(title, options); shown.push(this); }
  };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { played++; return start.apply(this, when); };
  let away = false;
  Object.defineProperty(document, "hidden", { get: () => away });
  window.leave = (gone) => { away = gone; document.dispatchEvent(new Event("visibilitychange")); };
"""
"""A headless browser shows all its tabs at once: whether one is looked at has to be said."""


def open_tab(context: BrowserContext, path: str = "/jobs/") -> Page:
    tab = context.new_page()
    tab.add_init_script(RECORD)
    if context.pages == [tab]:
        goto_live(tab, path)
    else:  # follows the first one
        tab.goto(path)
    expect(bell(tab)).to_be_visible()
    return tab


def bell(tab: Page) -> Locator:
    return tab.get_by_role("button", name=re.compile("^Notifications"))


def switch(tab: Page, name: str) -> None:
    bell(tab).click()
    tab.get_by_role("switch", name=name).click()
    expect(tab.get_by_role("switch", name=name)).to_be_checked()
    tab.keyboard.press("Escape")


def shown(tab: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tab.evaluate("shown.map(({ title, body, tag }) => ({ title, body, tag }))")
    return found


def fail(job: str) -> None:
    update(submit(job, **ALL_EVENTS), state="FAILED", appExitCode=255)


@pytest.fixture
def window(visit: Visit, alice: User) -> BrowserContext:
    context = visit("about:blank", alice).context
    context.pages[0].close()
    return context


def test_the_tab_says_how_many_are_unread(window: BrowserContext, alice: User) -> None:
    tab = open_tab(window)
    icon = tab.locator("link[rel=icon]")
    expect(tab).to_have_title("Jobs · Notifcenter")
    fail("resnet50")
    expect(tab).to_have_title("(1) Jobs · Notifcenter")
    expect(icon).to_have_attribute("href", re.compile(r"favicon-unread\.svg$"))
    bell(tab).click()
    tab.get_by_role("button", name="Mark all read").click()
    expect(tab).to_have_title("Jobs · Notifcenter")
    expect(icon).to_have_attribute("href", re.compile(r"favicon\.svg$"))


def test_nothing_is_asked_or_shown_before_a_click(window: BrowserContext, alice: User) -> None:
    window.grant_permissions(["notifications"])
    tab = open_tab(window)
    tab.evaluate("leave(true)")
    fail("resnet50")
    expect(bell(tab)).to_have_accessible_name("Notifications, 1 unread")
    expect(tab.locator("notif-bell").get_by_role("status")).to_have_text(re.compile("^resnet50 failed"))
    assert (shown(tab), tab.evaluate("played")) == ([], 0)


def test_one_tab_notifies_and_only_while_nobody_looks_at_any(window: BrowserContext, alice: User) -> None:
    window.grant_permissions(["notifications"])
    tabs = [open_tab(window), open_tab(window, "/profile/")]
    switch(tabs[1], "Browser notifications")
    tabs[0].evaluate("leave(true)")
    fail("seen")
    for tab in tabs:
        expect(tab.locator("notif-bell").get_by_role("status")).to_have_text(re.compile("^seen failed"))
    assert [shown(tab) for tab in tabs] == [[], []]
    tabs[1].evaluate("leave(true)")
    fail("resnet50")
    wait_for(lambda: sum(map(len, map(shown, tabs))), what="a notification of the browser")
    told = Notification.objects.get(job_name="resnet50")
    [one] = [*shown(tabs[0]), *shown(tabs[1])]
    assert one["title"].startswith("resnet50 failed")
    assert one["tag"] == f"nc-{told.pk}"


def test_a_click_on_it_leads_to_the_job_and_marks_it_as_read(window: BrowserContext, alice: User) -> None:
    window.grant_permissions(["notifications"])
    tab = open_tab(window)
    switch(tab, "Browser notifications")
    tab.evaluate("leave(true)")
    fail("resnet50")
    wait_for(lambda: shown(tab))
    tab.evaluate("shown[0].dispatchEvent(new Event('click'))")
    tab.wait_for_url("**/jobs/*/")
    wait_for(lambda: Notification.objects.get().read_at)


def test_many_are_one_notification(window: BrowserContext, alice: User) -> None:
    window.grant_permissions(["notifications"])
    tab = open_tab(window)
    switch(tab, "Browser notifications")
    tab.evaluate("leave(true)")
    tell_live(alice, {"failed": 9, "succeeded": 3})
    wait_for(lambda: shown(tab))
    assert [one["title"] for one in shown(tab)] == ["12 new notifications: 9 failed, 3 succeeded"]


@pytest.mark.parametrize(("owner", "count"), [("alice", 0), ("bob", 1)])
def test_web_push_takes_its_place_for_the_user_who_has_added_this_browser(
    window: BrowserContext, alice: User, bob: User, settings: Settings, owner: str, count: int
) -> None:
    """Two people share a browser; the subscription of one has been left in it."""
    settings.VAPID_PRIVATE_KEY = KEY
    endpoint = "https://push.example.org/abc"
    add_browser({"alice": alice, "bob": bob}[owner], Browser(endpoint))
    window.grant_permissions(["notifications"])
    tab = open_tab(window)
    tab.evaluate("navigator.serviceWorker.register('/push-worker.js').then(() => true)")
    tab.evaluate(f"PushManager.prototype.getSubscription = async () => ({{ endpoint: '{endpoint}' }})")
    switch(tab, "Browser notifications")
    switch(tab, "Sound")
    tones = tab.evaluate("played")
    tab.evaluate("leave(true)")
    with tab.expect_response("**/push-subscriptions/"):
        fail("resnet50")
    wait_for(lambda: tab.evaluate("played") == tones + 2)
    wait_for(lambda: len(shown(tab)) == count)


def test_quiet_hours_are_quiet(window: BrowserContext, alice: User) -> None:
    quiet_but_for_failures(alice)
    window.grant_permissions(["notifications"])
    tab = open_tab(window)
    switch(tab, "Browser notifications")
    switch(tab, "Sound")
    tones = tab.evaluate("played")
    tab.evaluate("leave(true)")
    update(submit("quiet", **ALL_EVENTS), state="RUNNING")
    expect(bell(tab)).to_have_accessible_name("Notifications, 1 unread")
    fail("loud")
    wait_for(lambda: shown(tab))
    wait_for(lambda: tab.evaluate("played") == tones + 2)
    assert [one["title"].split()[0] for one in shown(tab)] == ["loud"]


def test_one_tab_sounds_once_it_was_switched_on(window: BrowserContext, alice: User) -> None:
    tabs = [open_tab(window), open_tab(window, "/profile/")]
    switch(tabs[0], "Sound")
    tabs[1].get_by_role("heading").first.click()
    before = [tab.evaluate("played") for tab in tabs]
    assert before == [2, 0]  # how it sounds
    fail("resnet50")
    wait_for(lambda: sum(tab.evaluate("played") for tab in tabs) > sum(before))
    for tab in tabs:
        expect(tab.locator("notif-bell").get_by_role("status")).to_have_text(re.compile("^resnet50 failed"))
    assert sum(tab.evaluate("played") for tab in tabs) == sum(before) + 2


def test_a_browser_that_blocks_them_is_told_apart(window: BrowserContext, alice: User) -> None:
    tab = open_tab(window)
    devtools = window.new_cdp_session(tab)
    here = devtools.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    denied = {"permission": {"name": "notifications"}, "setting": "denied", "browserContextId": here}
    devtools.send("Browser.setPermission", denied)
    bell(tab).click()
    expect(tab.get_by_role("switch", name="Browser notifications: blocked")).to_be_disabled()
