"""What the elements promise a page that embeds them: documented on their classes and for people, and true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from notifications.models import Notification
from tests.browser.conftest import Visit, session_of
from tests.browser.inbox import rows, toast, undo
from tests.browser.notices import tell
from tests.browser.portal import Portal, token_of
from tests.browser.test_embedding import EVERYTHING, SCRIPT
from tests.cluster import submit, update
from tests.processes import ROOT, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

ELEMENTS = ["notif-bell", "notif-toasts", "notif-inbox", "notif-preferences", "notif-job-events"]
OUR_OWN = {"next-cursor"}
"""Attributes that only our own pages use."""
GUIDE = (ROOT / "docs" / "embedding.md").read_text()
STATIC = ROOT / "static" / "notifcenter"
PARTS = """names => Object.fromEntries(names.map((name) => [name, {
    attributes: customElements.get(name).observedAttributes,
    parts: [...document.querySelector(name).shadowRoot.querySelectorAll("[part]")].map(({ part }) => part.value),
}]))"""
ALONE = """<!doctype html><html lang="en"><head><title>Portal</title><link rel="icon" href="data:,">
{script}</head><body><main>{element}</main></body></html>"""


def on_class(element: str, tag: str) -> set[str]:
    """What the comment of an element's class names with this tag."""
    source = (STATIC / f"{element}.js").read_text()
    comment = source[: source.index("\nexport class")].rpartition("/**")[2]
    found = re.findall(rf"\* @{tag} ([\w-]+(?:, [\w-]+)*)", comment)
    return {name for line in found for name in line.split(", ")}


def in_guide(heading: str) -> Iterator[tuple[set[str], set[str]]]:
    """Of the table whose first column is called so: the names of each row, and the elements that have them."""
    table = GUIDE.partition(f"| {heading} | of |")[2].partition("\n\n")[0]
    elements: set[str] = set()
    for line in table.splitlines()[2:]:
        names, of = (re.findall(r"`([\w-]+)`", cell) for cell in line.split("|")[1:3])
        cell = line.split("|")[2]
        if "all" in cell:
            elements = set(ELEMENTS) - set(of)
        elif "the same" not in cell:
            elements = set(of)
        yield set(names), elements


def of_guide(heading: str, element: str) -> set[str]:
    return {name for names, elements in in_guide(heading) if element in elements for name in names}


@pytest.fixture
def alone(visit: Visit, site: str, portal: Portal) -> Callable[..., Page]:
    """A page of another site with nothing of ours but one element."""

    def open_page(element: str, *, token: str, forgive: str = "", more: str = "", **options: Any) -> Page:
        tag = f'<{element} base-url="{site}" token="{token}" {more}></{element}>'
        portal.html = ALONE.format(script=SCRIPT.format(site=site), element=tag)
        return visit(f"{portal.url}/", forgive=forgive, **options)

    return open_page


def test_classes_guide_and_elements_name_the_same(
    visit: Visit, site: str, portal: Portal, alice: User
) -> None:
    tell(alice, "resnet50")
    portal.html = EVERYTHING.format(site=site, token=token_of("alice"), lang="en", dir="ltr")
    page = visit(f"{portal.url}/")
    page.get_by_role("button", name="Notifications, 1 unread").click()
    expect(page.get_by_role("dialog").get_by_text("resnet50 failed")).to_be_visible()
    update(submit("bert-base"), state="FAILED")
    expect(page.locator("notif-toasts").get_by_text("bert-base failed")).to_be_visible()
    expect(page.get_by_role("heading", name="Times and language")).to_be_visible()
    for element, real in page.evaluate(PARTS, ELEMENTS).items():
        assert on_class(element, "attr") - OUR_OWN == of_guide("attribute", element), element
        known = on_class(element, "attr") | ({"form", "name"} if element == "notif-job-events" else set())
        assert set(real["attributes"]) <= known, element
        assert on_class(element, "csspart") == of_guide("part", element) == set(real["parts"]), element
        assert on_class(element, "fires") == of_guide("event", element), element


def test_every_event_of_the_elements_is_documented() -> None:
    sources = "".join(path.read_text() for path in STATIC.glob("*.js"))
    fired = set(re.findall(r'emit\(\s*"([\w-]+)"', sources))
    assert fired == {name for names, _ in in_guide("event") for name in names}


def test_every_custom_property_of_the_guide_exists() -> None:
    tokens = set(re.findall(r"^ *(--nc-[\w-]+):", (STATIC / "tokens.css").read_text(), re.MULTILINE))
    named = set(re.findall(r"--nc-[\w-]+[\w]", GUIDE))
    assert len(named) > 10
    assert named <= tokens


def test_a_host_changes_looks_by_properties_and_parts(alone: Callable[..., Page], alice: User) -> None:
    tell(alice, "resnet50")
    page = alone("notif-bell", token=token_of("alice"))
    page.add_style_tag(
        content="""notif-bell { --nc-panel-width: 300px; --nc-raised: rgb(1, 2, 3); --nc-font: monospace }
        notif-bell::part(badge) { background: rgb(4, 5, 6) } notif-bell::part(panel) { border-width: 7px }"""
    )
    bell = page.get_by_role("button", name="Notifications, 1 unread")
    expect(bell.locator(".badge")).to_have_css("background-color", "rgb(4, 5, 6)")
    bell.click()
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel).to_have_css("background-color", "rgb(1, 2, 3)")
    expect(panel).to_have_css("width", "300px")
    expect(panel).to_have_css("border-top-width", "7px")
    expect(panel).to_have_css("font-family", "monospace")


@pytest.mark.parametrize(("theme", "scheme", "ground"), [("dark", "light", 60), ("light", "dark", 200)])
@pytest.mark.parametrize("how", ["attribute", "property"])
def test_the_theme_of_an_element_goes_before_that_of_the_page(
    alone: Callable[..., Page], alice: User, theme: str, scheme: str, ground: int, how: str
) -> None:
    """Frameworks set a property where there is one."""
    more = f'theme="{theme}"' if how == "attribute" else ""
    page = alone("notif-bell", token=token_of("alice"), more=more, color_scheme=scheme)
    bell = page.get_by_role("button", name="Notifications")
    if how == "property":
        expect(bell).to_be_visible()
        page.locator("notif-bell").evaluate("(bell, theme) => { bell.theme = theme }", theme)
    bell.click()
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel).to_be_visible()
    expect(page.locator("notif-bell")).to_have_attribute("theme", theme)
    colour = panel.evaluate("panel => getComputedStyle(panel).backgroundColor")
    red, *_ = (int(part) for part in re.findall(r"\d+", colour))
    assert (red > ground) == (theme == "light")


def test_a_session_of_somebody_else_in_the_browser_changes_nothing(
    alone: Callable[..., Page], site: str, alice: User, bob: User
) -> None:
    """The token says who it is; the cookie of our own site is not sent along."""
    tell(alice, "resnet50")
    for number in range(3):
        tell(bob, f"foreign-{number}")
    page = alone("notif-bell", token=token_of("alice"))
    page.context.add_cookies([{"name": "sessionid", "value": session_of(bob), "url": site}])
    page.reload()
    page.get_by_role("button", name="Notifications, 1 unread").click()
    panel = page.get_by_role("dialog", name="Notifications")
    panel.get_by_role("button", name="Mark as read: resnet50").click()
    wait_for(lambda: Notification.objects.get(job_name="resnet50").read_at)
    expect(panel.get_by_text("foreign")).to_have_count(0)
    assert Notification.objects.filter(user=bob, read_at=None).count() == 3


def test_an_inbox_alone_says_what_can_be_undone_and_what_did_not_work(
    alone: Callable[..., Page], alice: User
) -> None:
    for job in ("bert-base", "resnet50"):
        tell(alice, job)
    page = alone("notif-inbox", token=token_of("alice"), forgive="500")
    rows(page).first.hover()
    page.get_by_role("button", name="Archive: resnet50").click()
    expect(rows(page)).to_have_count(1)
    undo(page, "Archived.")
    expect(rows(page)).to_have_count(2)
    page.route("**/bulk/", lambda route: route.fulfill(status=500))
    rows(page).first.hover()
    page.get_by_role("button", name="Save: resnet50").click()
    expect(toast(page, "It could not be saved.")).to_be_visible()
    expect(page.locator("notif-toasts")).to_have_count(1)
    page.unroute("**/bulk/")
    update(submit("vit-b16"), state="FAILED")
    expect(page.locator("notif-inbox").get_by_text("vit-b16 failed")).to_be_visible()
    expect(toast(page, "vit-b16 failed")).to_have_count(0)


def test_all_that_are_on_a_page_share_one_connection(
    visit: Visit, site: str, portal: Portal, alice: User
) -> None:
    tell(alice, "resnet50")
    portal.html = EVERYTHING.format(site=site, token=token_of("alice"), lang="en", dir="ltr")
    page = visit("about:blank")
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(f"{portal.url}/")
    expect(page.get_by_role("button", name="Notifications, 1 unread")).to_be_visible()
    update(submit("bert-base"), state="FAILED")
    expect(page.locator("notif-inbox").get_by_text("bert-base failed")).to_be_visible()
    expect(page.locator("notif-toasts").get_by_text("bert-base failed")).to_be_visible()
    assert len(sockets) == 1


def test_a_page_with_toasts_has_its_messages_there_alone(
    visit: Visit, site: str, portal: Portal, alice: User
) -> None:
    tell(alice, "resnet50")
    portal.html = EVERYTHING.format(site=site, token=token_of("alice"), lang="en", dir="ltr")
    page = visit(f"{portal.url}/")
    rows(page).first.hover()
    page.get_by_role("button", name="Archive: resnet50").click()
    expect(toast(page, "Archived.")).to_be_visible()
    expect(page.locator("notif-toasts")).to_have_count(1)


def test_an_inbox_tells_the_page_how_many_are_unread(alone: Callable[..., Page], alice: User) -> None:
    tell(alice, "resnet50")
    page = alone("notif-inbox", token="", forgive="401")
    page.evaluate(
        """(token) => {
            window.counts = [];
            addEventListener("notif-unread", ({ detail }) => counts.push(detail.unread));
            document.querySelector("notif-inbox").setAttribute("token", token);
        }""",
        token_of("alice"),
    )
    page.get_by_role("button", name="Mark as read: resnet50").click()
    page.wait_for_function("counts.at(-1) === 0 && counts.includes(1)")


def test_an_inbox_asks_the_page_before_it_leads_to_a_job(alone: Callable[..., Page], alice: User) -> None:
    tell(alice, "resnet50")
    page = alone("notif-inbox", token=token_of("alice"))
    page.evaluate(
        "addEventListener('notif-open', (event) => (event.preventDefault(), (window.opened = event.detail)))"
    )
    page.locator("notif-inbox .notice summary").first.click()
    address = page.url
    page.get_by_role("link", name="Open job").click()
    assert page.evaluate("window.opened.notification.job.name") == "resnet50"
    assert page.url == address


def test_a_page_is_told_that_a_token_was_refused_and_gives_another(
    alone: Callable[..., Page], alice: User
) -> None:
    tell(alice, "resnet50")
    page = alone("notif-inbox", token="", forgive="401")
    page.evaluate(
        """([expired, fresh]) => {
            window.told = [];
            addEventListener("notif-error", ({ detail }) => {
                told.push(detail);
                if (!detail.signedOut) return;
                for (const one of document.querySelectorAll("[token]")) one.setAttribute("token", fresh);
            });
            for (const one of document.querySelectorAll("[token]")) one.setAttribute("token", expired);
        }""",
        [token_of("alice", -10), token_of("alice")],
    )
    expect(rows(page)).to_have_count(1)
    assert page.evaluate("told.length") == 1
