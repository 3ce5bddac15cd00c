"""What a page downloads for the bell, Lit included, as it comes over the wire."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Request, expect

from tests.browser.conftest import Visit
from tests.browser.notices import tell
from tests.browser.portal import Portal, token_of

pytestmark = pytest.mark.django_db(transaction=True)

BUDGET_BYTES = 25_000
OPENED_BUDGET_BYTES = 30_000
PAGE = """<!doctype html><html lang="en"><head><title>Portal</title><link rel="icon" href="data:,">
<script type="module" src="{site}/static/notifcenter/define.js"></script></head>
<body><notif-bell base-url="{site}" token="{token}"></notif-bell></body></html>"""


def test_the_bell_stays_within_its_budget_and_loads_its_panel_when_it_is_opened(
    visit: Visit, site: str, portal: Portal, alice: User
) -> None:
    tell(alice)
    portal.html = PAGE.format(site=site, token=token_of("alice"))
    page = visit("about:blank")
    loaded: list[Request] = []
    page.on("requestfinished", lambda request: loaded.append(request))
    page.goto(f"{portal.url}/")
    bell = page.get_by_role("button", name="Notifications, 1 unread")
    expect(bell).to_be_visible()
    page.wait_for_load_state("networkidle")
    ours = [request for request in loaded if request.url.startswith(site)]
    names = {request.url.rpartition("/")[2] for request in ours}
    assert {"lit.js", "store.js", "notif-bell.js", "tokens.css", "shared.css"} <= names
    assert all("/static/" in request.url for request in ours)
    bell.click()
    expect(page.get_by_role("dialog").get_by_text("resnet50 failed")).to_be_visible()
    more = [request for request in loaded if request.url.startswith(site) and request not in ours]
    assert "bell-panel.js" in {request.url.rpartition("/")[2] for request in more}
    assert [
        "/api/v1/notifications/?" in request.url for request in more if "/static/" not in request.url
    ] == [True]
    files = [request for request in ours + more if "/static/" in request.url]
    assert all(request.response().headers.get("content-encoding") == "br" for request in files)  # type: ignore[union-attr]
    assert sum(request.sizes()["responseBodySize"] for request in ours) <= BUDGET_BYTES
    assert sum(request.sizes()["responseBodySize"] for request in files) <= OPENED_BUDGET_BYTES
