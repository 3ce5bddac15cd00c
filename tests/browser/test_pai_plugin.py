"""The plugin inside a page that loads it as OpenPAI's portal does: a classic script, then <pai-plugin>."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, Route, expect

from notifications.models import Notification
from preferences.kinds import Event
from preferences.models import ChannelPolicy, ChannelPreference, UserPreference
from tests.browser.conftest import Visit
from tests.browser.notices import tell
from tests.browser.portal import Portal, token_of
from tests.browser.test_pages import expect_accessible
from tests.cluster import submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = """<!doctype html><html lang="en"><head><title>Portal</title><link rel="icon" href="data:,"><style>
html {{ font-size: 10px }}
body, body * {{ all: unset; font: italic 9px/3 serif; color: red; text-transform: uppercase; letter-spacing: 2px }}
script {{ display: none }} h1, a, button, input {{ display: none !important }}
</style></head><body><main id="content-wrapper">Loading…</main><script>
const script = document.createElement("script");
script.addEventListener("load", () => {{
  script.remove();
  const plugin = document.createElement("pai-plugin");
  plugin.setAttribute("pai-rest-server-uri", "http://rest-server.invalid");
  plugin.setAttribute("pai-version", "v1.8.0");
  const [user, token] = {user};
  if (token) {{
    plugin.setAttribute("pai-user", user);
    plugin.setAttribute("pai-rest-server-token", token);
  }}
  document.getElementById("content-wrapper").replaceChildren(plugin);
}});
script.src = "{site}/static/notifcenter/pai-plugin.js?from=config";
document.head.append(script);
</script></body></html>"""

Plugin = Callable[..., Page]


def page_of(site: str, token: str | None) -> str:
    return PAGE.format(site=site, user=["alice", token or ""])


@pytest.fixture
def plugin(visit: Visit, site: str, portal: Portal) -> Plugin:
    """Opens the portal's page with this token."""

    def open_page(token: str | None, fragment: str = "", forgive: str = "") -> Page:
        portal.html = page_of(site, token)
        return visit(f"{portal.url}/plugin.html?index=3{fragment}", forgive=forgive)

    return open_page


def row(page: Page, text: str) -> Locator:
    return page.locator("notif-inbox .notice").filter(has_text=text)


def expect_unread(page: Page, count: int) -> None:
    name = f"Notifications, {count} unread" if count else "Notifications"
    expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


def test_the_inbox_shows_and_lives_from_the_token_alone(plugin: Plugin, alice: User, bob: User) -> None:
    tell(alice, "resnet50")
    tell(bob, "not-hers")
    page = plugin(token_of("alice"))
    expect(row(page, "resnet50 failed")).to_be_visible()
    expect(page.locator("notif-inbox .notice")).to_have_count(1)
    expect_unread(page, 1)
    update(submit("bert-base"), state="FAILED", appExitCode=255)
    expect(row(page, "bert-base failed")).to_be_visible()
    expect(page.locator("notif-toasts").get_by_text("bert-base failed")).to_be_visible()
    expect_unread(page, 2)
    assert page.context.cookies() == []
    assert page.title() == "Portal"


def test_a_job_leads_to_the_portals_own_page_of_it(plugin: Plugin, alice: User) -> None:
    tell(alice, "a&b 50%")
    page = plugin(token_of("alice"))
    row(page, "a&b").locator("summary").click()
    link = page.get_by_role("link", name="Open job")
    expect(link).to_have_attribute("href", "job-detail.html?username=alice&jobName=a%26b+50%25")
    wait_for(lambda: Notification.objects.get().read_at)
    expect_unread(page, 0)


def test_the_portals_styles_stay_outside(plugin: Plugin, alice: User) -> None:
    tell(alice, "resnet50")
    page = plugin(token_of("alice"))
    title = row(page, "resnet50 failed").locator(".notice__title")
    expect(title).to_be_visible()
    for name, value in {
        "font-style": "normal", "font-size": "15px", "text-transform": "none", "letter-spacing": "normal",
    }.items():  # fmt: skip
        expect(title).to_have_css(name, value)
    expect(title).not_to_have_css("color", "rgb(255, 0, 0)")
    expect(page.get_by_role("heading", name="Inbox", exact=True)).to_be_visible()
    archive = page.get_by_role("button", name="Mark all read")
    box = archive.bounding_box()
    assert box is not None
    assert box["height"] == 36
    expect_accessible(page)


def test_the_view_is_in_the_address_beside_what_the_portal_has_there(plugin: Plugin, alice: User) -> None:
    tell(alice, "resnet50", "failed")
    tell(alice, "bert-base", "running")
    page = plugin(token_of("alice"))
    page.get_by_role("checkbox", name="Running", exact=True).check()
    expect(page.locator("notif-inbox .notice")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/plugin\.html\?index=3&event=running$"))
    page.reload()
    expect(row(page, "bert-base is running")).to_be_visible()
    expect(page.locator("notif-inbox .notice")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(page).to_have_url(re.compile(r"/plugin\.html\?index=3$"))


def test_a_choice_is_stored_at_once(plugin: Plugin, alice: User) -> None:
    page = plugin(token_of("alice"))
    page.get_by_role("link", name="Preferences").click()
    page.get_by_role("checkbox", name="Failed: E-mail").uncheck()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    stored = ChannelPreference.objects.get(user=alice, channel="email").events
    assert set(Event.values) - set(stored) == {"failed"}
    page.get_by_role("checkbox", name="Web portal", exact=True).uncheck()
    page.get_by_role("radio", name="My own choice").check()
    page.get_by_role("checkbox", name="Succeeded", exact=True).check()
    minutes = page.get_by_label("A job waits too long after")
    minutes.fill("15")
    minutes.press("Tab")
    wait_for(lambda: UserPreference.objects.filter(waiting_minutes=15).exists())
    own = UserPreference.objects.get(user=alice)
    assert own.default_events == ["succeeded", "failed", "waiting_too_long"]
    assert ChannelPreference.objects.get(user=alice, channel="webportal").enabled is False
    page.reload()
    expect(page.get_by_role("checkbox", name="Failed: E-mail")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="Web portal", exact=True)).not_to_be_checked()
    expect(page.get_by_role("radio", name="My own choice")).to_be_checked()
    expect(page.get_by_label("A job waits too long after")).to_have_value("15")
    page.get_by_role("link", name="Inbox", exact=True).click()
    expect(page.get_by_role("heading", name="Inbox", exact=True)).to_be_visible()


def test_what_cannot_be_chosen_says_why(plugin: Plugin, alice: User) -> None:
    ChannelPolicy.objects.create(channel="email", enabled=False)
    page = plugin(token_of("alice"), "#preferences")
    switch = page.get_by_role("checkbox", name="Failed: E-mail")
    expect(switch).to_be_disabled()
    expect(switch).to_have_accessible_description("The administrator has switched this channel off.")
    expect(page.get_by_role("checkbox", name="Failed: Web portal")).to_be_enabled()
    expect_accessible(page)


def test_a_choice_that_could_not_be_stored_goes_back(plugin: Plugin, alice: User) -> None:
    page = plugin(token_of("alice"), "#preferences", forgive="Failed to load resource")
    minutes = page.get_by_label("A job waits too long after")
    minutes.fill("soon")
    minutes.press("Tab")
    expect(page.get_by_text("Write a whole number of minutes")).to_be_visible()
    expect(minutes).to_have_value("soon")
    minutes.fill("0")
    minutes.press("Tab")
    expect(page.get_by_text("greater than or equal to 1")).to_be_visible()
    page.route("**/api/v1/preferences/", lambda route: route.abort())
    switch = page.get_by_role("checkbox", name="Failed: E-mail")
    switch.click()
    expect(page.locator("notif-toasts").get_by_text("It could not be saved.").last).to_be_visible()
    expect(switch).to_be_checked()
    assert not ChannelPreference.objects.exists()
    assert not UserPreference.objects.exists()


def test_a_new_token_takes_the_place_of_one_that_has_run_out(plugin: Plugin, alice: User) -> None:
    tell(alice, "resnet50")
    page = plugin(token_of("alice", -10), forgive="401")
    lost = page.locator("notif-inbox").get_by_text("The page's token is refused, no longer live")
    expect(lost).to_be_visible()
    expect(page.locator("notif-inbox").get_by_text("The page's token is refused", exact=True)).to_be_visible()
    page.evaluate(
        "token => document.querySelector('pai-plugin').setAttribute('pai-rest-server-token', token)",
        token_of("alice"),
    )
    expect(row(page, "resnet50 failed")).to_be_visible()
    expect(lost).to_have_count(0)
    update(submit("bert-base"), state="FAILED")
    expect(row(page, "bert-base failed")).to_be_visible()


def test_who_is_not_signed_in_is_told_so(plugin: Plugin, alice: User) -> None:
    page = plugin(None)
    expect(page.get_by_text("You are not signed in")).to_be_visible()


def test_a_hostile_job_name_is_shown_as_text(plugin: Plugin, alice: User) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    page = plugin(token_of("alice"))
    expect(
        page.locator("notif-inbox").get_by_text("Nothing here yet")
    ).to_be_visible()  # what comes now is new to it
    update(submit(hostile), state="FAILED")
    for place in (page.locator("notif-toasts"), page.locator("notif-inbox")):
        expect(place.get_by_text(f"{hostile} failed").first).to_be_visible()
    assert page.locator("img").count() == 0


def test_a_site_that_is_not_allowed_gets_nothing(
    visit: Visit, site: str, stranger: Portal, alice: User
) -> None:
    tell(alice, "resnet50")
    token = token_of("alice")
    stranger.html = page_of(site, token)
    page = visit(f"{stranger.url}/plugin.html", forgive="blocked by CORS policy|ERR_FAILED")
    expect(page.get_by_text(f"{stranger.url} must be in its CORS_ALLOWED_ORIGINS")).to_be_visible()
    expect(page.get_by_text("resnet50")).to_have_count(0)
    ask = """([url, token]) => fetch(url, {headers: {Authorization: `Bearer ${token}`}}).then(
        (response) => response.text(), (error) => error.name)"""
    for path in ("/api/v1/notifications/", "/api/v1/preferences/", "/api/v2/alerts"):
        assert page.evaluate(ask, [f"{site}{path}", token]) == "TypeError"
    dial = """([url, token]) => new Promise((resolve) => {
        const socket = new WebSocket(url, ["notifcenter", `bearer.${token}`]);
        socket.onmessage = ({data}) => resolve(data);
        socket.onclose = ({code}) => resolve(code);
    })"""
    assert page.evaluate(dial, [f"{site.replace('http', 'ws')}/ws/notifications/", token]) == 4403


def test_it_comes_when_the_server_is_back(visit: Visit, site: str, portal: Portal, alice: User) -> None:
    tell(alice, "resnet50")
    portal.html = page_of(site, token_of("alice"))
    page = visit("about:blank", forgive="ERR_")

    def refuse(route: Route) -> None:
        route.abort("connectionrefused")

    page.route("**/notif-page.js", refuse)
    page.goto(f"{portal.url}/plugin.html")
    expect(page.get_by_text("Notifications could not be loaded")).to_be_visible()
    page.unroute("**/notif-page.js")
    expect(row(page, "resnet50 failed")).to_be_visible()
