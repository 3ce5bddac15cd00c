"""Server, network or sign-in are away for a while: the page says so quietly, comes back, and misses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect

from notifications.sources.frameworks.names import LEADER_LOCK
from tests.browser.conftest import Visit, session_of
from tests.browser.portal import Portal, token_of
from tests.cluster import submit, update
from tests.database import sql
from tests.pollers import held
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


def test_a_page_that_has_seen_more_than_a_restored_backup_goes_on(
    visit: Visit, alice: User, tmp_path: Path
) -> None:
    from notifications.models import Notification, PollerState

    port = free_port()
    with daphne(tmp_path, port) as (url, process):
        page = visit("about:blank", forgive="ERR_", base_url=url)
        page.context.add_cookies([{"name": "sessionid", "value": session_of(alice), "url": url}])
        page.goto("/")
        for job in ("before", "lost"):
            update(submit(job), state="FAILED")
            expect(page.locator("notif-inbox").get_by_text(f"{job} failed")).to_have_count(1)
        process.kill()
        expect(page.get_by_text("Offline, trying again").first).to_be_visible()
    with transaction.atomic():  # what a backup from before the last event brings back
        sql("LOCK TABLE notifications_pollerstate")
        PollerState.objects.update(heartbeat_at=datetime.now(UTC) - timedelta(minutes=1))
        lost = Notification.objects.get(job_name__endswith="lost")
        lost.delete()
        sql("DELETE FROM frameworks WHERE name = %s", lost.framework_name)
        sql("SELECT setval(pg_get_serial_sequence('notifications_notification', 'id'), %s, false)", lost.pk)
        sql("SELECT pg_terminate_backend(%s)", held(LEADER_LOCK))
    with daphne(tmp_path, port):
        expect(page.locator("notif-inbox").get_by_text("lost failed")).to_have_count(0, timeout=45_000)
        update(submit("new"), state="FAILED")
        expect(page.locator("notif-inbox").get_by_text("new failed")).to_have_count(1)
        expect(page.get_by_role("button", name="Notifications, 2 unread", exact=True)).to_be_visible()


def test_a_part_of_the_page_that_could_not_be_loaded_is_loaded_later(visit: Visit, alice: User) -> None:
    update(submit("early"), state="FAILED")
    page = visit("about:blank", alice, forgive="ERR_")
    away = "**/notif-inbox.js"
    page.route(away, lambda route: route.abort("connectionrefused"))
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/notif-inbox.js")):
        page.goto("/")
    page.unroute(away)
    expect(page.locator("notif-inbox").get_by_text("early failed")).to_be_visible()


def bell_with(page: Page, count: int) -> Locator:
    name = f"Notifications, {count} unread" if count else "Notifications"
    return page.get_by_role("button", name=name, exact=True)


def tabs_of(window: BrowserContext, *paths: str) -> list[Page]:
    tabs = []
    for path in paths:
        tab = window.new_page()
        tab.goto(path)
        expect(bell_with(tab, 0)).to_be_visible()
        tabs.append(tab)
    return tabs


def expect_state(tabs: list[Page], text: str) -> None:
    for tab in tabs:
        expect(bell_with(tab, 0).or_(bell_with(tab, 1))).to_have_attribute("title", text, timeout=45_000)


def test_all_tabs_say_that_the_server_is_away_and_come_back(
    visit: Visit, alice: User, tmp_path: Path
) -> None:
    port = free_port()
    with daphne(tmp_path, port) as (url, process):
        window = visit("about:blank", forgive="ERR_", base_url=url).context
        window.add_cookies([{"name": "sessionid", "value": session_of(alice), "url": url}])
        tabs = tabs_of(window, "/", "/jobs/")
        process.kill()
        expect_state(tabs, "Offline, trying again")
    update(submit("meanwhile"), state="FAILED")
    with daphne(tmp_path, port):
        for tab in tabs:
            expect(bell_with(tab, 1)).to_be_visible(timeout=45_000)
        expect_state(tabs, "")
        expect(tabs[0].locator("notif-inbox").get_by_text("meanwhile failed")).to_have_count(1)
        update(submit("after"), state="FAILED")
        for tab in tabs:
            expect(bell_with(tab, 2)).to_be_visible()


def test_without_a_network_it_says_so_at_once_and_comes_back_with_it(visit: Visit, alice: User) -> None:
    window = visit("about:blank", alice, forgive="ERR_").context
    tabs = tabs_of(window, "/", "/jobs/")
    window.set_offline(True)
    expect_state(tabs, "Offline, trying again")
    update(submit("meanwhile"), state="FAILED")
    window.set_offline(False)
    for tab in tabs:
        expect(bell_with(tab, 1)).to_be_visible()
        expect(tab.locator("notif-toasts").get_by_text("meanwhile failed")).to_be_visible()
    expect_state(tabs, "")


RECORD_PAUSES = """
    window.pauses = [];
    const later = window.setTimeout;
    window.setTimeout = (act, pause, ...rest) => {
        const connects = String(act).includes("#connect");
        if (connects) pauses.push(pause);
        return later(act, connects ? 0 : pause, ...rest);
    };
"""


def test_it_tries_again_ever_more_rarely_and_not_with_all_others_at_once(visit: Visit, alice: User) -> None:
    page = visit("about:blank", alice, forgive="WebSocket")
    page.add_init_script(RECORD_PAUSES)
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    page.goto("/jobs/")
    wait_for(lambda: page.evaluate("pauses.length") >= 12)
    pauses = page.evaluate("pauses.slice(0, 12)")
    shares = [pause / min(30_000, 500 * 2**number) for number, pause in enumerate(pauses)]
    assert all(0.5 <= share <= 1 for share in shares), pauses
    assert len(set(shares)) == len(shares)


def test_after_a_sleep_a_connection_that_only_looks_open_is_made_anew(visit: Visit, alice: User) -> None:
    page = visit("about:blank", alice)
    page.clock.install()
    opened: list[WebSocket] = []
    page.on("websocket", lambda socket: opened.append(socket))
    page.goto("/jobs/")
    page.clock.run_for(1_000)
    expect(bell_with(page, 0)).to_be_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=8))
    assert len(opened) == 1
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_for(lambda: page.evaluate("0") or len(opened) == 2)


def test_who_is_signed_out_is_told_and_lives_on_after_signing_in_again(
    visit: Visit, site: str, alice: User
) -> None:
    window = visit("about:blank", alice, forgive="401|403").context
    tabs = tabs_of(window, "/", "/jobs/")
    Session.objects.all().delete()
    expect_state(tabs, "Signed out, no longer live")
    tabs[1].get_by_role("button", name="Notifications").click()
    link = tabs[1].get_by_role("dialog", name="Notifications").get_by_role("link", name="Sign in")
    expect(link).to_have_attribute("href", "/accounts/login/?next=%2Fjobs%2F")
    tabs[1].keyboard.press("Escape")
    update(submit("meanwhile"), state="FAILED")
    window.add_cookies([{"name": "sessionid", "value": session_of(alice), "url": site}])
    tabs[1].evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    for tab in tabs:
        expect(bell_with(tab, 1)).to_be_visible()
    expect_state(tabs, "")
    update(submit("after"), state="FAILED")
    for tab in tabs:
        expect(bell_with(tab, 2)).to_be_visible()


def test_a_page_that_replaces_an_expired_token_lives_on(
    visit: Visit, site: str, portal: Portal, alice: User
) -> None:
    portal.html = (
        '<!doctype html><html lang="en"><title>Portal</title><link rel="icon" href="data:,">'
        f'<notif-bell base-url="{site}" token="{token_of("alice", 3)}"></notif-bell>'
        f'<script type="module" src="{site}/static/notifcenter/define.js"></script>'
    )
    page = visit(portal.url, forgive="401")
    expect_state([page], "The page's token is refused, no longer live")
    update(submit("meanwhile"), state="FAILED")
    page.locator("notif-bell").evaluate(
        "(bell, token) => bell.setAttribute('token', token)", token_of("alice")
    )
    expect(bell_with(page, 1)).to_be_visible()
    expect_state([page], "")
