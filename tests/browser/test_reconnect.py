"""A web process dies and comes back: the page says so quietly, and misses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tests.browser.conftest import Visit, session_of
from tests.cluster import submit, update
from tests.processes import daphne, free_port, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_is_missed_while_the_web_process_was_away(visit: Visit, alice: User, tmp_path: Path) -> None:
    from notifications.models import Notification

    port = free_port()
    with daphne(tmp_path, port) as (url, process):
        page = visit("about:blank", forgive="ERR_", base_url=url)
        page.context.add_cookies([{"name": "sessionid", "value": session_of(alice), "url": url}])
        page.goto("/")
        update(submit("before"), state="FAILED")
        expect(page.get_by_role("button", name="Notifications, 1 unread", exact=True)).to_be_visible()
        expect(page.locator("notif-inbox .notice")).to_have_count(1)
        process.kill()
        expect(page.get_by_text("Offline, trying again").first).to_be_visible()
    for number in range(5):
        update(submit(f"meanwhile-{number}"), state="FAILED")
    wait_for(lambda: Notification.objects.count() == 6)
    with daphne(tmp_path, port):
        expect(page.get_by_role("button", name="Notifications, 6 unread", exact=True)).to_be_visible(
            timeout=45_000
        )
        for number in range(5):
            expect(page.locator("notif-inbox").get_by_text(f"meanwhile-{number} failed")).to_have_count(1)
        expect(page.get_by_text("Offline, trying again")).to_have_count(0)
        update(submit("after"), state="FAILED")
        expect(page.locator("notif-inbox .notice")).to_have_count(7)
        expect(page.get_by_role("button", name="Notifications, 7 unread", exact=True)).to_be_visible()


def test_a_part_of_the_page_that_could_not_be_loaded_is_loaded_later(visit: Visit, alice: User) -> None:
    update(submit("early"), state="FAILED")
    page = visit("about:blank", alice, forgive="ERR_")
    away = "**/notif-inbox.js"
    page.route(away, lambda route: route.abort("connectionrefused"))
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/notif-inbox.js")):
        page.goto("/")
    page.unroute(away)
    expect(page.locator("notif-inbox").get_by_text("early failed")).to_be_visible()
