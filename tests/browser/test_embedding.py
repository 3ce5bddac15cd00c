"""The bell inside another site's page: one script tag, one element, a token of the cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from notifications.models import Notification
from tests.browser.conftest import PORTAL, PORTAL_PORT, TOKEN_SECRET, Visit
from tests.browser.notices import tell
from tests.cluster import submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PORTAL_PAGE = """<!doctype html><html lang="en"><head><title>Portal</title><link rel="icon" href="data:,">
<style>html {{ font-size: 10px }}</style></head>
<body><notif-bell base-url="{site}" token="{token}"><a href="{site}/">Inbox</a></notif-bell>
<notif-toasts base-url="{site}" token="{token}"></notif-toasts>{script}</body></html>"""
SCRIPT = '<script type="module" src="{site}/static/notifcenter/define.js"></script>'


class Portal(BaseHTTPRequestHandler):
    html = ""

    def do_GET(self) -> None:
        body = self.html.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _portal() -> Iterator[None]:
    with HTTPServer(("127.0.0.1", PORTAL_PORT), Portal) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def portal_page(visit: Visit, site: str, token: str, script: str = SCRIPT, forgive: str = "") -> Page:
    Portal.html = PORTAL_PAGE.format(site=site, token=token, script=script.format(site=site))
    return visit(f"{PORTAL}/", forgive=forgive)


def token_of(username: str, lifetime_seconds: int = 600) -> str:
    return jwt.encode(
        {"username": username, "exp": int(time.time()) + lifetime_seconds}, TOKEN_SECRET, "HS256"
    )


def test_it_lives_from_a_token_without_any_cookie(visit: Visit, site: str, alice: User) -> None:
    tell(alice, "resnet50")
    page = portal_page(visit, site, token_of("alice"))
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


def test_a_small_root_size_of_the_page_does_not_shrink_it(visit: Visit, site: str, alice: User) -> None:
    page = portal_page(visit, site, token_of("alice"))
    box = page.get_by_role("button", name="Notifications").bounding_box()
    assert box is not None
    assert box["height"] == 40


def test_a_token_that_is_refused_says_so(visit: Visit, site: str, alice: User) -> None:
    page = portal_page(visit, site, token_of("alice", -10), forgive="401")
    page.get_by_role("button", name="Notifications").click()
    expect(page.get_by_text("You are signed out")).to_be_visible()


def test_without_the_script_there_is_a_link(visit: Visit, site: str, alice: User) -> None:
    page = portal_page(visit, site, token_of("alice"), script="")
    expect(page.get_by_role("link", name="Inbox")).to_be_visible()
