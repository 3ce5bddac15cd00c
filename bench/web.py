"""The bell and the inbox in a real browser: weight, start, a storm of arrivals, and memory over many of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from bench.database import Line, connect, execute, median, reset
from bench.latency import free_port, process

USER = "user1"
WEIGHT_BYTES = 25_000
LOADS = 15
USABLE_MS = 1_000
USABLE_AGAIN_MS = 500
STORM = 1_000
STORM_SECONDS = 10.0
STORM_STEP = 10
LONGEST_TASK_MS = 100
ARRIVALS = 10_000
SETTLED_ARRIVALS = 2_000
WAVE = 100
MAX_GROWTH_BYTES = 1024 * 1024
DEADLINE_SECONDS = 60

WATCH = """
  addEventListener("notif-unread", ({ detail, target }) => {
    if (detail.unread && target.localName === "notif-bell") window.usableAt ??= performance.now();
  });
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
  }).observe({ type: "longtask" });
"""
NEWEST = "Number(document.querySelector('notif-inbox [data-id]')?.dataset.id ?? 0)"


def run() -> Iterator[Line]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
        "1"  # Playwright's loop runs in this thread, beside Django's calls
    )
    from tests.chromium import launched

    reset(STORM, snapshot_bytes=320)
    execute('UPDATE frameworks SET "userName" = %s', [USER])
    port = free_port()
    daphne = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "notifcenter.asgi:application"]
    with ExitStack() as stack:
        stack.enter_context(process(daphne, port))
        stack.enter_context(process([sys.executable, "manage.py", "poll_frameworks"]))
        browser = stack.enter_context(launched())
        site = f"http://127.0.0.1:{port}"
        _arrive(1)
        yield from _weight(browser, site)
        yield from _usable(browser, site)
        yield from _storm(browser, site)
        yield from _memory(browser, site)


@contextmanager
def _window(browser: Browser, site: str) -> Iterator[BrowserContext]:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username=USER))
    with browser.new_context(base_url=site, viewport={"width": 1280, "height": 800}) as context:
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
        context.add_init_script(WATCH)
        yield context


def _weight(browser: Browser, site: str) -> Iterator[Line]:
    """Scripts and sheets of a page that has nothing but a bell, before and after it is opened."""
    page_url = f"{site}/bell"
    html = (
        '<!doctype html><html lang="en"><meta name="notifcenter-user" content="user1"><title>Bell</title>'
        '<link rel="icon" href="data:,"><notif-bell></notif-bell>'
        '<script type="module" src="/static/notifcenter/define.js"></script>'
    )
    with _window(browser, site) as context:
        page = context.new_page()
        page.route(page_url, lambda route: route.fulfill(body=html, content_type="text/html"))
        bytes_of: list[int] = []
        page.on("requestfinished", lambda request: bytes_of.append(_body_bytes(request)))
        page.goto(page_url)
        page.get_by_role("button", name="Notifications").wait_for()
        page.wait_for_load_state("networkidle")
        closed = sum(bytes_of)
        page.get_by_role("button", name="Notifications").click()
        page.get_by_role("dialog").get_by_role("link", name="Open inbox").wait_for()
        page.wait_for_load_state("networkidle")
        opened = sum(bytes_of)
    for name, size in (
        ("bell: scripts and sheets over the wire", closed),
        ("… with its panel, once it has been opened", opened),
    ):
        limit = f"≤ {WEIGHT_BYTES / 1000:.0f} KB"
        yield Line(name, f"{size / 1000:.1f} KB", "", None, limit, size <= WEIGHT_BYTES)


def _body_bytes(request: Any) -> int:
    return int(request.sizes()["responseBodySize"]) if "/static/" in request.url else 0


def _usable(browser: Browser, site: str) -> Iterator[Line]:
    """From navigation to a bell that shows the count; the floor is the page itself, parsed with its sheets."""
    first: list[float] = []
    again: list[float] = []
    floor: list[float] = []
    for _ in range(LOADS):
        with _window(browser, site) as context:
            page = context.new_page()
            for times in (first, again):
                page.goto("/jobs/")
                _until(page, "window.usableAt")
                times.append(page.evaluate("window.usableAt"))
            bare = context.new_page()
            bare.route("**/*.js", lambda route: route.abort())
            bare.goto("/jobs/")
            floor.append(
                bare.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
            )
    for name, times, most in (
        ("navigation → usable bell, nothing cached, median", first, USABLE_MS),
        ("… files cached", again, USABLE_AGAIN_MS),
    ):
        ours, bare_ms = median(times), median(floor)
        yield Line(name, f"{ours:.0f} ms", f"{bare_ms:.0f} ms", ours / bare_ms, f"≤ {most} ms", ours <= most)


def _storm(browser: Browser, site: str) -> Iterator[Line]:
    """Changes of jobs, in even steps, by way of the poller; bell, inbox and toasts are on the page."""
    with _window(browser, site) as context, closing(connect()) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        page = context.new_page()
        page.goto("/")
        _until(page, "window.usableAt")
        page.wait_for_load_state("networkidle")
        page.evaluate("window.longest = 0")
        cursor.execute("SELECT name FROM frameworks ORDER BY name")
        names = [name for (name,) in cursor.fetchall()]
        start = time.monotonic()
        for done in range(0, STORM, STORM_STEP):
            cursor.execute(
                "UPDATE frameworks SET state = 'RUNNING' WHERE name = ANY(%s)",
                [names[done : done + STORM_STEP]],
            )
            due = start + STORM_SECONDS * (done + STORM_STEP) / STORM
            page.wait_for_timeout(max(0.0, due - time.monotonic()) * 1000)
        seconds = time.monotonic() - start
        newest = _until_stored(STORM + 1)
        _until(page, f"{NEWEST} === {newest}")
        shown = page.locator("notif-bell .badge").inner_text()
        _mark_read(newest - 7)
        _until(page, "document.title.startsWith('(7)')")
        longest = page.evaluate("window.longest")
    yield Line(
        f"{STORM:,} arrivals in {seconds:.0f} s: longest task of the page",
        f"{longest:.0f} ms" if longest else "none over 50 ms",
        "",
        None,
        f"≤ {LONGEST_TASK_MS} ms",
        longest <= LONGEST_TASK_MS,
    )
    yield Line("… the count at the end", shown, "", None, "99+", shown == "99+")


def _memory(browser: Browser, site: str) -> Iterator[Line]:
    """The page's heap after a collection."""
    with _window(browser, site) as context:
        page = context.new_page()
        page.goto("/")
        _until(page, "window.usableAt")
        sizes = {}
        for done in range(WAVE, ARRIVALS + 1, WAVE):
            newest = _arrive(WAVE)
            _until(page, f"{NEWEST} === {newest}")
            if done in (SETTLED_ARRIVALS, ARRIVALS):
                sizes[done] = _heap(context, page)
        rows = page.locator("notif-inbox [data-id]").count()
    settled, last = sizes[SETTLED_ARRIVALS], sizes[ARRIVALS]
    yield Line(
        f"heap of the page after {ARRIVALS:,} arrivals ({rows} rows)",
        f"{last / 2**20:.1f} MB",
        f"{settled / 2**20:.1f} MB at {SETTLED_ARRIVALS:,}",
        last / settled,
        f"+ ≤ {MAX_GROWTH_BYTES >> 20} MB",
        last - settled <= MAX_GROWTH_BYTES,
    )


def _heap(context: BrowserContext, page: Page) -> int:
    devtools = context.new_cdp_session(page)
    devtools.send("HeapProfiler.enable")
    devtools.send("HeapProfiler.collectGarbage")
    used: int = devtools.send("Runtime.getHeapUsage")["usedSize"]
    devtools.detach()
    return used


def _arrive(count: int) -> int:
    """Stores so many notifications as the poller does, and tells the web process. Returns the newest one's id."""
    from django.contrib.auth.models import User
    from django.db import connection, transaction
    from django.utils import timezone

    from notifications.listening import LIVE_CHANNEL
    from notifications.models import Notification

    user, now = User.objects.get(username=USER), timezone.now()
    with transaction.atomic():
        stored = Notification.objects.bulk_create(
            Notification(
                user=user,
                event="succeeded" if number % 4 else "failed",
                framework_name=f"{now.timestamp()}-{number}",
                submission_time=now,
                job_name=f"job-{number}",
                virtual_cluster="default",
                occurred_at=now,
            )
            for number in range(count)
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [LIVE_CHANNEL])
    return max(one.pk for one in stored)


def _mark_read(up_to: int) -> None:
    from django.contrib.auth.models import User

    from notifications import inbox

    inbox.mark_read(user_id=User.objects.get(username=USER).pk, up_to=up_to)


def _until_stored(count: int) -> int:
    """Waits until there are so many notifications; returns the newest one's id."""
    from notifications.models import Notification

    _wait(lambda: Notification.objects.count() >= count)
    newest = Notification.objects.latest("id")
    return int(newest.pk)


def _until(page: Page, expression: str) -> None:
    """Our content policy forbids what Playwright's own waiting does."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not page.evaluate(expression):
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain for {expression}")
        page.wait_for_timeout(10)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("not stored in time")
        time.sleep(0.05)
