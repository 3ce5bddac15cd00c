"""What a page downloads for the bell and its panel, Lit included, as it comes over the wire."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Request, expect

from tests.browser.conftest import Visit
from tests.browser.notices import tell
from tests.browser.portal import Portal, token_of

pytestmark = pytest.mark.django_db(transaction=True)

BUDGET_BYTES = 25_000
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
    assert names == {"define.js", "tokens.css", "icons.css", "shared.css"}
    assert all("/static/" in request.url for request in ours)
    bell.click()
    expect(page.get_by_role("dialog").get_by_text("resnet50 failed")).to_be_visible()
    more = [request for request in loaded if request.url.startswith(site) and request not in ours]
    assert [request.url.rpartition("/")[2].partition("?")[0] for request in more] == ["bell-panel.js", ""]
    assert "/api/v1/notifications/?" in more[1].url
    files = [request for request in ours + more if "/static/" in request.url]
    assert all(request.response().headers.get("content-encoding") == "br" for request in files)  # type: ignore[union-attr]
    assert sum(request.sizes()["responseBodySize"] for request in files) <= BUDGET_BYTES
