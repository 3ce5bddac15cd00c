"""Web Push in a real browser: added by a click, told by a worker, shown by the service worker, opened by a click.

Only the browser's push service is played: its subscription leads to a server of ours, and what arrives there is handed
to the service worker as the browser itself would.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from notifications import vapid
from preferences.browsers import digest_of
from preferences.kinds import Channel
from preferences.models import Target
from tests import processes
from tests.browser.conftest import Visit
from tests.browser.pushing import PLAYED_SERVICE, Pushed, click, registered
from tests.browser.test_pages import expect_accessible
from tests.cluster import framework_name, submit, update
from tests.processes import wait_for
from tests.push import KEY, KEYS, Browser, add_browser
from tests.receiver import Receiver, running_receiver
from tests.targets import allow
from tests.tls import Certificate, certificate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.whole_browser]


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY = KEY


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture
def service(paths: Certificate) -> Iterator[Receiver]:
    with running_receiver(paths) as server:
        server.status = 201
        yield server


@pytest.fixture
def reader(service: Receiver) -> Browser:
    return Browser(f"https://localhost:{service.port}/push/abc")


def at_profile(visit: Visit, user: User, reader: Browser, **options: Any) -> Page:
    """The profile page in a browser whose push service is the one that we play."""
    page = visit("/accounts/login/", user, permissions=["notifications"], **options)
    subscription = json.dumps(reader.subscription)
    page.add_init_script(
        PLAYED_SERVICE % {"endpoint": json.dumps(reader.endpoint), "subscription": subscription}
    )
    page.goto("/profile/")
    return page


def test_from_the_click_to_the_notification(
    visit: Visit, alice: User, service: Receiver, reader: Browser, paths: Certificate, tmp_path: Path
) -> None:
    allow(Channel.WEBPUSH)
    page = at_profile(visit, alice, reader)
    page.get_by_role("button", name="Notify this browser").click()
    expect(page.get_by_text("This browser is told.")).to_be_visible()
    expect(page.get_by_text("this browser", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Notify this browser")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('key')") == vapid.public_key(KEY)
    assert Target.objects.get().hint == f"localhost:{service.port}"
    trusting = {"TARGETS_ALLOW_PRIVATE": "127.0.0.1", "REQUESTS_CA_BUNDLE": str(paths.authority)}
    with processes.worker(tmp_path, **trusting, **KEYS):
        update(submit("<b>resnet50</b>", jobName="alice~<b>resnet50</b>"), state="FAILED")
        wait_for(lambda: len(service.requests) == 1)
    pushed = Pushed(page, registered(page))
    (shown,) = pushed.deliver(reader.decrypt(service.requests[0].body).decode())
    assert shown["title"].startswith("<b>resnet50</b> failed")
    assert shown["tag"] == service.requests[0].headers["Topic"]


def test_a_click_leads_to_the_job(visit: Visit, alice: User, reader: Browser) -> None:
    page = at_profile(visit, alice, reader)
    worker = registered(page)
    pushed = Pushed(page, worker)
    submit("resnet50")
    job = f"/jobs/{framework_name('resnet50')}/"
    message = json.dumps({"title": "resnet50 failed", "tag": "a", "url": page.url.replace("/profile/", job)})
    pushed.deliver(message)
    (did,) = click(worker)
    opened, _, address = did.partition(" ")
    assert opened == "opened"
    page.goto(address)
    expect(page.get_by_role("heading", name="resnet50")).to_be_visible()
    assert pushed.shown() == []
    pushed.deliver(message)
    assert click(worker) == [f"focused {page.url}"]


def test_what_is_about_the_same_takes_its_place(visit: Visit, alice: User, reader: Browser) -> None:
    page = at_profile(visit, alice, reader)
    pushed = Pushed(page, registered(page))
    for title, tag in (("one is running", "a"), ("one failed", "a"), ("two failed", "b")):
        pushed.deliver(json.dumps({"title": title, "tag": tag, "url": "/"}))
    assert sorted(one["title"] for one in pushed.shown()) == ["one failed", "two failed"]


@pytest.mark.parametrize(
    ("data", "title", "leads_to"),
    [
        ("", "Notifcenter", "/"),
        ("no JSON", "Notifcenter", "/"),
        ("null", "Notifcenter", "/"),
        ('{"title": 7, "url": {}, "tag": []}', "Notifcenter", "/"),
        ('{"title": "x", "url": "javascript:alert(1)"}', "x", "/"),
        ('{"title": "x", "url": "http://["}', "x", "/"),
        ('{"title": "x", "url": "https://scheduler.example.org/1"}', "x", "https://scheduler.example.org/1"),
    ],
)
def test_whatever_arrives_something_harmless_is_shown(
    visit: Visit, alice: User, reader: Browser, data: str, title: str, leads_to: str
) -> None:
    page = at_profile(visit, alice, reader)
    worker = registered(page)
    pushed = Pushed(page, worker)
    assert pushed.deliver(data)[0]["title"] == title
    (did,) = click(worker)
    assert did.removesuffix(leads_to) in ("opened ", f"opened {page.evaluate('location.origin')}")


def test_a_subscription_that_the_browser_replaces_is_renewed(
    visit: Visit, site: str, alice: User, reader: Browser
) -> None:
    """Also when nobody is signed in any more."""
    target = add_browser(alice, reader)
    page = at_profile(visit, alice, reader)
    worker = registered(page)
    page.context.clear_cookies()
    fresh = Browser("https://push.example.net/fresh")
    worker.evaluate(
        """async ({old, fresh}) => {
            const cache = await caches.open("notifcenter-push");
            await cache.put("notifcenter-push", Response.json({subscription: old, key: "the-key"}));
            PushManager.prototype.subscribe = async ({applicationServerKey}) => {
                if (applicationServerKey !== "the-key") throw new Error("another key");
                return {toJSON: () => fresh};
            };
            await self.happen(new ExtendableEvent("pushsubscriptionchange"));
        }""",
        {"old": reader.subscription, "fresh": fresh.subscription},
    )
    assert Target.objects.get().digest == digest_of(fresh.endpoint)
    assert Target.objects.get().pk == target.pk


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("Object.defineProperty(Notification, 'permission', {get: () => 'denied'})", "forbids notifications"),
        ("Object.defineProperty(window, 'isSecureContext', {get: () => false})", "opened by https://"),
        ("delete window.PushManager", "cannot be told"),
    ],
)
def test_why_a_browser_cannot_be_added(visit: Visit, alice: User, script: str, text: str) -> None:
    allow(Channel.WEBPUSH)
    page = visit("/accounts/login/", alice)
    page.add_init_script(script)
    page.goto("/profile/")
    expect(page.get_by_text(text)).to_be_visible()
    expect(page.get_by_role("button", name="Notify this browser")).to_be_hidden()


def test_nothing_is_asked_before_the_click(visit: Visit, alice: User, reader: Browser) -> None:
    allow(Channel.WEBPUSH)
    page = visit("/accounts/login/", alice)
    page.add_init_script(
        "Notification.requestPermission = async () => { window.asked = true; return 'default'; }"
    )
    page.goto("/profile/")
    button = page.get_by_role("button", name="Notify this browser")
    expect(button).to_be_visible()
    assert page.evaluate("window.asked ?? false") is False
    button.click()
    page.wait_for_function("window.asked")
    expect(button).to_be_visible()
    assert not Target.objects.exists()


def test_the_site_says_why_it_refuses(visit: Visit, alice: User, reader: Browser) -> None:
    for number in range(10):
        add_browser(alice, Browser(f"https://push.example.net/{number}"))
    page = at_profile(visit, alice, reader, forgive="400")
    page.get_by_role("button", name="Notify this browser").click()
    expect(page.get_by_role("alert").get_by_text("You have 10 browsers already")).to_be_visible()
    expect(page.get_by_role("button", name="Notify this browser")).to_be_visible()


def test_the_part_is_accessible(visit: Visit, alice: User, reader: Browser) -> None:
    add_browser(alice, reader, name="a-name-without-an-end" * 2)
    page = at_profile(visit, alice, reader, viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="Notify this browser").click()
    expect(page.get_by_text("This browser is told.")).to_be_visible()
    expect_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
