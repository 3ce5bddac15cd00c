"""The bell inside another site's page: one script tag, one element, a token of the cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from notifications.models import Notification
from tests.browser.conftest import Visit
from tests.browser.notices import tell
from tests.browser.portal import Portal, token_of
from tests.cluster import submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PORTAL_PAGE = """<!doctype html><html lang="en"><head><title>Portal</title><link rel="icon" href="data:,">
<style>html {{ font-size: 10px }}</style></head>
<body><notif-bell base-url="{site}" token="{token}"><a href="{site}/">Inbox</a></notif-bell>
<notif-toasts base-url="{site}" token="{token}"></notif-toasts>{script}</body></html>"""
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
    expect(page.get_by_text("You are signed out")).to_be_visible()


def test_a_token_that_is_refused_says_so(portal_page: Callable[..., Page], alice: User) -> None:
    page = portal_page(token_of("alice", -10), forgive="401")
    page.get_by_role("button", name="Notifications").click()
    expect(page.get_by_text("You are signed out")).to_be_visible()


def test_without_the_script_there_is_a_link(portal_page: Callable[..., Page], alice: User) -> None:
    page = portal_page(token_of("alice"), script="")
    expect(page.get_by_role("link", name="Inbox")).to_be_visible()
