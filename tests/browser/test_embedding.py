"""The bell inside another site's page: one script tag, one element, a token of the cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from notifications.models import Notification
from tests.browser.conftest import Visit
from tests.browser.notices import tell
from tests.browser.portal import Portal, token_of
from tests.browser.test_pages import expect_accessible
from tests.cluster import submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PORTAL_PAGE = """<!doctype html><html lang="en"><head><title>Portal</title><link rel="icon" href="data:,">
<style>html {{ font-size: 10px }}</style></head>
<body><notif-bell base-url="{site}" token="{token}"><a href="{site}/">Inbox</a></notif-bell>
<notif-toasts base-url="{site}" token="{token}"></notif-toasts>{script}</body></html>"""
EVERYTHING = """<!doctype html><html lang="{lang}" dir="{dir}"><head><title>Portal</title>
<script type="module" src="{site}/static/notifcenter/define.js"></script></head><body><main>
<notif-bell base-url="{site}" token="{token}"></notif-bell>
<notif-inbox base-url="{site}" token="{token}"></notif-inbox>
<notif-preferences base-url="{site}" token="{token}"></notif-preferences>
<notif-job-events value='{{"failed": true}}'></notif-job-events>
<notif-toasts base-url="{site}" token="{token}"></notif-toasts></main></body></html>"""
STRICT = "default-src 'none'; script-src 'self' {site}; style-src 'self' {site}; connect-src {site} {socket}"
RESET = "* { all: unset !important } *::before { content: none !important }"
SCRIPT = '<script type="module" src="{site}/static/notifcenter/define.js"></script>'


@pytest.fixture
def portal_page(visit: Visit, site: str, portal: Portal) -> Callable[..., Page]:
    def open_page(token: str, script: str = SCRIPT, forgive: str = "") -> Page:
        portal.html = PORTAL_PAGE.format(site=site, token=token, script=script.format(site=site))
        return visit(f"{portal.url}/", forgive=forgive)

    return open_page


def test_it_lives_from_a_token_without_any_cookie(portal_page: Callable[..., Page], alice: User) -> None:
    tell(alice, "resnet50")
    page = portal_page(token_of("alice"))
    page.evaluate(
        "addEventListener('notif-open', (event) => (event.preventDefault(), (window.opened = event.detail)))"
    )
    page.get_by_role("button", name="Notifications, 1 unread", exact=True).click()
    page.get_by_role("dialog").get_by_role("link", name="resnet50 failed").click()
    expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    wait_for(lambda: Notification.objects.get().read_at)
    assert page.evaluate("window.opened.notification.job.name") == "resnet50"
    update(submit("bert-base"), state="FAILED")
    expect(page.get_by_role("button", name="Notifications, 1 unread", exact=True)).to_be_visible()
    expect(page.locator("notif-toasts").get_by_text("bert-base failed")).to_be_visible()


def test_a_small_root_size_of_the_page_does_not_shrink_it(
    portal_page: Callable[..., Page], alice: User
) -> None:
    page = portal_page(token_of("alice"))
    box = page.get_by_role("button", name="Notifications").bounding_box()
    assert box is not None
    assert box["height"] == 40


@pytest.mark.parametrize("token", ["a b", "x=", "ü"])
def test_what_cannot_be_a_token_is_refused_too(portal_page: Callable[..., Page], token: str) -> None:
    """A browser throws at such a subprotocol, and cannot send the last one at all."""
    page = portal_page(token, forgive="401")
    page.get_by_role("button", name="Notifications").click()
    expect(page.get_by_text("The page's token is refused", exact=True)).to_be_visible()


def test_a_token_that_is_refused_says_so(portal_page: Callable[..., Page], alice: User) -> None:
    page = portal_page(token_of("alice", -10), forgive="401")
    page.get_by_role("button", name="Notifications").click()
    expect(page.get_by_text("The page's token is refused", exact=True)).to_be_visible()


def test_without_the_script_there_is_a_link(portal_page: Callable[..., Page], alice: User) -> None:
    page = portal_page(token_of("alice"), script="")
    expect(page.get_by_role("link", name="Inbox")).to_be_visible()


@pytest.fixture
def everything(visit: Visit, site: str, portal: Portal) -> Callable[..., Page]:
    """All elements on a page of another site that lets in no more than it must."""

    def open_page(lang: str = "en", direction: str = "ltr", policy: str = STRICT, **options: Any) -> Page:
        portal.html = EVERYTHING.format(site=site, token=token_of("alice"), lang=lang, dir=direction)
        portal.policy = policy.format(site=site, socket=site.replace("http", "ws", 1))
        return visit(f"{portal.url}/", **options)

    return open_page


def expect_all(page: Page, *, bell: str, inbox: str, preferences: str) -> None:
    expect(page.get_by_role("button", name=bell, exact=True)).to_be_visible()
    expect(page.locator("notif-inbox").get_by_role("heading", name=inbox, exact=True)).to_be_visible()
    expect(
        page.locator("notif-preferences").get_by_role("heading", name=preferences, exact=True)
    ).to_be_visible()


def test_all_elements_live_under_a_strict_policy_and_share_one_connection(
    everything: Callable[..., Page], site: str, alice: User
) -> None:
    """`visit` fails at the first violation that the browser reports."""
    tell(alice, "resnet50")
    page = everything()
    expect_all(page, bell="Notifications, 1 unread", inbox="Inbox", preferences="Preferences")
    expect(page.locator("notif-inbox .mark svg").first).to_be_visible()
    page.locator("notif-bell").get_by_role("button", name="Notifications, 1 unread").click()
    expect(page.get_by_role("dialog").get_by_text("resnet50 failed")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Mark as read: resnet50").hover()
    update(submit("bert-base"), state="FAILED")
    expect(page.locator("notif-toasts").get_by_text("bert-base failed")).to_be_visible()
    expect(page.locator("notif-inbox .inbox")).to_have_css("display", "grid")
    assert page.context.cookies() == []


def test_they_speak_the_language_of_their_page_and_follow_it(
    everything: Callable[..., Page], alice: User
) -> None:
    tell(alice, "resnet50")
    page = everything("zh-CN")
    expect_all(page, bell="通知，1 条未读", inbox="收件箱", preferences="偏好设置")
    expect(page.locator("notif-inbox").get_by_text("resnet50 失败：内存不足")).to_be_visible()
    page.evaluate("document.documentElement.lang = 'en'")
    expect_all(page, bell="Notifications, 1 unread", inbox="Inbox", preferences="Preferences")
    expect(page.locator("notif-inbox").get_by_text("resnet50 failed: out of memory")).to_be_visible()


def test_the_first_page_is_fetched_once(everything: Callable[..., Page], alice: User) -> None:
    tell(alice, "resnet50")
    page = everything()
    expect(page.locator("notif-inbox").get_by_text("resnet50 failed").first).to_be_visible()
    expect(page.get_by_role("button", name="Notifications, 1 unread")).to_be_visible()
    page.wait_for_load_state("networkidle")
    names = page.evaluate("performance.getEntriesByType('resource').map(({name}) => name)")
    assert len([name for name in names if "/api/v1/notifications/?" in name]) == 1


def test_a_host_that_resets_everything_does_not_break_them(
    everything: Callable[..., Page], alice: User
) -> None:
    tell(alice, "resnet50")
    page = everything(policy="")
    page.add_style_tag(content=RESET)
    bell = page.get_by_role("button", name="Notifications, 1 unread")
    box = bell.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (40, 40)
    bell.click()
    panel = page.get_by_role("dialog")
    expect(panel).to_have_css("position", "fixed")
    expect(panel.get_by_text("resnet50 failed")).to_be_visible()
    expect(page.locator("notif-inbox").get_by_text("resnet50 failed").first).to_be_visible()


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_they_are_accessible(everything: Callable[..., Page], alice: User, lang: str) -> None:
    tell(alice, "resnet50")
    page = everything(lang, "rtl", policy="", reduced_motion="reduce")
    page.add_style_tag(content=":root { color-scheme: light dark; background: light-dark(#fff, #111) }")
    expect(page.locator("notif-inbox .notice")).to_be_visible()
    expect(page.locator("notif-preferences .matrix")).to_be_visible()
    expect_accessible(page)
