"""A real browser at a real web process, with a poller behind it. Every page is watched for errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Protocol

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Playwright,
    expect,
    sync_playwright,
)
from pytest_django.plugin import DjangoDbBlocker

from tests import processes
from tests.browser.portal import TOKEN_SECRET, Portal, serving
from tests.chromium import launch
from tests.processes import wait_for
from tests.push import KEYS

PORTAL_PORT = processes.free_port()
TIMEOUT_MS = 20_000

expect.set_options(timeout=TIMEOUT_MS)

TOASTS_STAY = 'customElements.whenDefined("notif-toasts").then((toasts) => (toasts.lifeMs = 600_000))'
"""However slow the machine is, what a test looks for in the corner has not gone by itself before."""


@pytest.fixture(scope="package")
def site(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a web process of the tests' database; a poller is at work beside it."""
    with django_db_blocker.unblock():
        folder = tmp_path_factory.mktemp("browser")
        trusted: dict[str, Any] = {
            "PAI_JWT_SECRET": TOKEN_SECRET,
            "CORS_ALLOWED_ORIGINS": f"http://localhost:{PORTAL_PORT}",
            "NOTIFCENTER_DEMO": "1",
            "TARGETS_ALLOW_PRIVATE": "127.0.0.1",
            **KEYS,
        }
        with processes.daphne(folder, **trusted) as (url, _), processes.poller(folder, **KEYS):
            yield url


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with closing(launch(playwright, whole=False)) as chromium:
        yield chromium


@pytest.fixture(scope="package")
def whole_browser(playwright: Playwright) -> Iterator[Browser]:
    with closing(launch(playwright, whole=True)) as chromium:
        yield chromium


@pytest.fixture
def portal() -> Iterator[Portal]:
    """Another site, whose pages `site` serves."""
    with serving(PORTAL_PORT) as server:
        yield server


@pytest.fixture
def stranger() -> Iterator[Portal]:
    """Another site that `site` does not know."""
    with serving() as server:
        yield server


class Visit(Protocol):
    def __call__(
        self,
        path: str = "/",
        user: User | None = None,
        *,
        forgive: str = "",
        toasts_stay: bool = True,
        **options: Any,
    ) -> Page: ...


@pytest.fixture
def visit(request: pytest.FixtureRequest, site: str) -> Iterator[Visit]:
    """Opens a page in a window of its own, signed in as `user`; its `context` opens further tabs of that window.

    The test fails if a page logs an error (violations of the content policy are among them), throws, or opens
    a dialog. `forgive` is a pattern of the messages that the test provokes.
    """
    needs_all = request.node.get_closest_marker("whole_browser")
    browser: Browser = request.getfixturevalue("whole_browser" if needs_all else "browser")
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(
        path: str = "/",
        user: User | None = None,
        *,
        forgive: str = "",
        toasts_stay: bool = True,
        **options: Any,
    ) -> Page:
        context = browser.new_context(**{"base_url": site, **options})
        context.set_default_timeout(TIMEOUT_MS)
        if toasts_stay and options.get("java_script_enabled", True):
            context.add_init_script(TOASTS_STAY)
        contexts.append(context)
        if user is not None:
            context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": site}])
        context.on("page", lambda tab: watch(tab, problems, forgive))
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def watch(page: Page, problems: list[str], forgive: str = "") -> None:
    def note(kind: str, text: str) -> None:
        if not (forgive and re.search(forgive, text)):
            problems.append(f"{kind}: {text}")

    def logged(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            note("console", message.text)

    def asked(dialog: Dialog) -> None:
        note("dialog", dialog.message)
        dialog.dismiss()

    page.on("console", logged)
    page.on("pageerror", lambda error: note("thrown", str(error)))
    page.on("dialog", asked)


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def goto_live(page: Page, path: str) -> None:
    """Goes there, and waits until the page's own websocket has said hello: what comes then is news."""
    heard: list[str | bytes] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(frame)))
    page.goto(path)
    wait_for(lambda: page.evaluate("0") or heard, what="hello")
