"""`make screenshots`: every page in three sizes, light and dark, in both languages, filled by the simulated cluster."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from notifications.groups.models import GroupJob, JobGroup
from notifications.models import Delivery, Notification
from preferences import targets
from preferences.kinds import JOB_EVENTS, Channel
from preferences.models import SiteSettings, Target
from tests.browser.conftest import Visit
from tests.browser.inbox import toast
from tests.browser.notices import tell_live
from tests.browser.portal import Portal, token_of
from tests.cluster import submit, update
from tests.processes import wait_for
from tests.targets import add_chat, add_webhook, allow

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "screenshots"
SIZES = {"phone": (390, 844), "laptop": (1280, 800), "wide": (1920, 1080)}
CLUSTER_SEED = 7
JOBS = 25
JOB_FILE = "name: llama-7b-sft  # the second try\nextras:\n  jobStatusChangeNotification: {failed: yes}\n"
UNREAD = 6
TODAY = 11


@pytest.fixture
def _played(alice: User, site: str) -> None:
    """Some jobs of today, a few of yesterday and before; the newest are unread."""
    SiteSettings.objects.create(default_events=list(JOB_EVENTS))
    call_command("demo_cluster", once=True, jobs=JOBS, seed=CLUSTER_SEED, users="alice", verbosity=0)
    update(submit("llama-7b-sft", jobName="alice~llama-7b-sft"), state="RUNNING")
    wait_for(lambda: Notification.objects.filter(job_name="llama-7b-sft").exists())
    _date_back()
    for place, notification in enumerate(Notification.objects.order_by("-id")):
        read_at = None if place < UNREAD else notification.created_at
        Notification.objects.filter(pk=notification.pk).update(read_at=read_at)


def _date_back() -> None:
    """The jobs, with all that is known of them, so that a list and the page of a job say the same."""
    newest_first = dict.fromkeys(
        Notification.objects.order_by("-id").values_list("framework_name", flat=True)
    )
    for place, name in enumerate(newest_first):
        back = timedelta(minutes=7 * place, days=(place > TODAY) + 3 * (place > 2 * TODAY))
        told = Notification.objects.filter(framework_name=name)
        told.update(
            submission_time=F("submission_time") - back,
            created_at=F("created_at") - back,
            occurred_at=F("occurred_at") - back,
        )
        GroupJob.objects.filter(framework_name=name).update(submission_time=F("submission_time") - back)
        with connection.cursor() as cursor:
            columns = ("submissionTime", "launchTime", "completionTime")
            shifted = ", ".join(f'"{column}" = "{column}" - %(back)s::interval' for column in columns)
            cursor.execute(
                f"UPDATE frameworks SET {shifted} WHERE name = %(name)s", {"back": str(back), "name": name}
            )
    _sort_ids()


def _sort_ids() -> None:
    """As if each had been told when it took place: their ids ascend with the time."""
    by_time = list(Notification.objects.order_by("occurred_at", "id").values_list("id", flat=True))
    with transaction.atomic():
        for one in by_time:
            Notification.objects.filter(id=one).update(id=-one)
            Delivery.objects.filter(notification=one).update(notification=-one)
        for new, one in zip(sorted(by_time), by_time, strict=True):
            Notification.objects.filter(id=-one).update(id=new)
            Delivery.objects.filter(notification=-one).update(notification=new)


def look_of(size: str, scheme: str) -> dict[str, Any]:
    width, height = SIZES[size]
    return {
        "viewport": {"width": width, "height": height},
        "has_touch": size == "phone",
        "is_mobile": size == "phone",
        "color_scheme": scheme,
        "reduced_motion": "reduce",
    }


def shoot(page: Page, name: str, *, size: str, scheme: str, full_page: bool = False) -> None:
    FOLDER.mkdir(exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}-{size}-{scheme}.png", full_page=full_page)


PORTAL_PAGE = """<!doctype html><html lang="en"><head><title>Portal</title><style>
html {{ font-size: 10px; color-scheme: light dark }}
body {{ display: grid; grid-template: 50px 1fr / auto minmax(0, 1fr); margin: 0; min-height: 100vh; font: 14px serif }}
header {{ grid-column: 1 / -1; padding: 12px 20px; background: #0071bc; color: white }}
aside {{ width: 190px; padding: 20px; background: #222d32; color: #b8c7ce }}
@media (max-width: 600px) {{ aside {{ display: none }} }}
</style></head><body><header>A portal</header><aside>Jobs<br><br>Notifications</aside>
<main><pai-plugin pai-user="alice" pai-rest-server-token="{token}"></pai-plugin></main>
<script src="{site}/static/notifcenter/pai-plugin.js"></script></body></html>"""


@pytest.mark.usefixtures("_played")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_take_plugin(visit: Visit, site: str, portal: Portal, alice: User, size: str, scheme: str) -> None:
    portal.html = PORTAL_PAGE.format(site=site, token=token_of("alice"))
    look = look_of(size, scheme)
    page = visit(f"{portal.url}/plugin.html?index=0", **look)
    page.locator("notif-inbox .notice:has([data-event=failed]) summary").first.click()
    page.mouse.move(0, 0)
    shoot(page, "plugin", size=size, scheme=scheme)
    page.get_by_role("link", name="Preferences").click()
    expect(page.get_by_role("heading", name="Which events")).to_be_visible()
    shoot(page, "plugin-preferences", size=size, scheme=scheme, full_page=True)


@pytest.mark.usefixtures("_played")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_take(visit: Visit, alice: User, size: str, scheme: str) -> None:
    look = look_of(size, scheme)
    take = partial(shoot, size=size, scheme=scheme)
    take(visit("/accounts/login/", **look), "login")
    page = visit("/", alice, **look)
    bell = page.get_by_role("button", name=f"Notifications, {UNREAD} unread")
    expect(bell).to_be_visible()
    take(page, "inbox")
    bell.click()
    expect(page.get_by_role("dialog").get_by_text("llama-7b-sft")).to_be_visible()
    take(page, "bell")
    page.keyboard.press("Escape")
    page.locator("notif-inbox .notice:has([data-event=failed]) summary").first.click()
    update(submit("vit-b16-finetune"), state="RUNNING")
    expect(page.locator("notif-toasts").get_by_text("vit-b16-finetune is running")).to_be_visible()
    page.mouse.move(0, 0)
    take(page, "live")
    if (size, scheme) == ("laptop", "light"):
        page.evaluate("scrollTo(0, 0)")
        expect(page.get_by_role("heading", name="Inbox")).to_be_in_viewport(ratio=1)
        page.screenshot(path=ROOT / "docs" / "images" / "inbox.png")
    page.get_by_role("searchbox").fill("nothing like this")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    take(page, "empty")
    page.goto("/jobs/")
    take(page, "jobs")
    page.locator("tr:has([data-state=FAILED]) a").first.click()
    page.wait_for_url("**/jobs/*/")
    take(page, "job", full_page=True)
    page.goto("/job-file/")
    page.get_by_label("Or paste it here").fill(JOB_FILE)
    page.get_by_role("button", name="Set them in the file").click()
    expect(page.get_by_role("heading", name="Here is your file")).to_be_visible()
    take(page, "job-file", full_page=True)
    page.goto("/profile/")
    take(page, "profile", full_page=True)


@pytest.mark.usefixtures("_played")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_take_in_chinese(visit: Visit, alice: User, size: str, scheme: str) -> None:
    look = {**look_of(size, scheme), "locale": "zh-CN"}
    take = partial(shoot, size=size, scheme=scheme)
    take(visit("/accounts/login/", **look), "login-zh")
    page = visit("/", alice, **look)
    bell = page.get_by_role("button", name=f"通知，{UNREAD} 条未读")
    bell.click()
    expect(page.get_by_role("dialog").get_by_text("llama-7b-sft")).to_be_visible()
    take(page, "bell-zh")
    page.keyboard.press("Escape")
    page.locator("notif-inbox .notice:has([data-event=failed]) summary").first.click()
    page.mouse.move(0, 0)
    take(page, "inbox-zh")
    page.goto("/jobs/")
    take(page, "jobs-zh")
    page.locator("tr:has([data-state=FAILED]) a").first.click()
    page.wait_for_url("**/jobs/*/")
    take(page, "job-zh", full_page=True)
    for name in ("job-file", "profile"):
        page.goto(f"/{name}/")
        take(page, f"{name}-zh", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_take_targets(visit: Visit, alice: User, size: str, scheme: str) -> None:
    look = look_of(size, scheme)
    allow(Channel.APPRISE, Channel.WEBHOOK)
    add_chat(alice, "ntfys://ntfy.example.org/topic", name="My phone")
    add_chat(alice, "slack://T0A1B2C3D/B1C2D3E4F/abcdefghijklmnopqrstuvwx", name="Team channel #gpu-jobs")
    add_webhook(alice, "https://collector.research.example.org:8443/hooks/1", name="Our own dashboard")
    add_webhook(alice, "https://old.example.org/hook", name="An old one")
    own = Target.objects.order_by("id")
    Target.objects.filter(pk=own[0].pk).update(last_ok_at=Now())
    Target.objects.filter(pk=own[2].pk).update(last_error="The other side answered 503.")
    targets.disable(own[3].pk, "The other side answered 410: it wants nothing any more.")
    page = visit("/profile/", alice, **look)
    expect(page.get_by_role("heading", name="Chat and webhooks")).to_be_visible()
    shoot(page, "profile-targets", size=size, scheme=scheme, full_page=True)
    page.get_by_label("Kind").select_option("webhook")
    page.get_by_label("Name").fill("Another server")
    page.get_by_role("textbox", name="Address", exact=True).fill("https://example.org/hook")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Another server is added")).to_be_visible()
    shoot(page, "target-secret", size=size, scheme=scheme)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_take_sweep(visit: Visit, alice: User, size: str, scheme: str) -> None:
    SiteSettings.objects.create(default_events=list(JOB_EVENTS))
    ends = {2: "FAILED", 5: "SUCCEEDED", 6: "SUCCEEDED", 9: "STOPPED"}
    for number in range(1, 13):
        state = ends.get(number, "RUNNING" if number < 11 else "WAITING")
        update(submit(f"resnet50-lr=0.{number:02}"), state=state)
    wait_for(lambda: JobGroup.objects.filter(jobs=12, failed=1, stopped=1).exists())
    group = JobGroup.objects.get()
    page = visit(f"/groups/{group.pk}/", alice, **look_of(size, scheme))
    expect(page.get_by_role("heading", name="resnet50-lr=*")).to_be_visible()
    shoot(page, "sweep", size=size, scheme=scheme, full_page=True)
    page.get_by_role("link", name="resnet50-lr=0.02").click()
    expect(page.get_by_text("One of the 12 jobs of")).to_be_visible()
    shoot(page, "sweep-job", size=size, scheme=scheme)
    page.goto("/?group=job")
    page.locator("[data-group] > details > summary").click()
    shoot(page, "sweep-inbox", size=size, scheme=scheme)


@pytest.mark.usefixtures("_played")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_take_states(visit: Visit, alice: User, size: str, scheme: str) -> None:
    """What is seen now and then: selected, asked, undone, folded, empty, loading, broken, offline."""
    take = partial(shoot, size=size, scheme=scheme)
    page = visit("/", alice, forgive="500|ERR_", **look_of(size, scheme))
    expect(page.get_by_role("button", name=f"Notifications, {UNREAD} unread")).to_be_visible()
    for place in (1, 2, 3):
        page.locator("notif-inbox .notice__check input").nth(place).check()
    take(page, "state-selected")
    bar = page.get_by_role("group", name="All that are shown")
    bar.get_by_role("button", name="Snooze").click()
    expect(page.get_by_role("dialog", name="Snooze")).to_be_visible()
    take(page, "state-snooze")
    page.keyboard.press("Escape")
    bar.get_by_role("button", name="Archive").click()
    expect(toast(page, "3 archived.")).to_be_visible()
    page.mouse.move(0, 0)  # what is looked at is not folded
    tell_live(alice, {"failed": 9, "succeeded": 3})
    expect(toast(page, "12 new notifications: 9 failed, 3 succeeded")).to_be_visible()
    take(page, "state-toasts")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    take(page, "state-keys")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Snoozed").click()
    expect(page.get_by_text("Nothing is snoozed")).to_be_visible()
    take(page, "state-empty-folder")
    page.route("**/api/v1/notifications/?*", lambda route: None)
    page.get_by_role("link", name="Archived").click()
    expect(page.locator("notif-inbox .bones").first).to_be_visible()
    take(page, "state-loading")
    page.unroute("**/api/v1/notifications/?*")
    page.route("**/api/v1/notifications/?*", lambda route: route.fulfill(status=500))
    page.get_by_role("link", name="Saved").click()
    expect(page.get_by_text("The notifications could not be loaded.")).to_be_visible()
    take(page, "state-error")
    page.context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator(".inbox__offline")).to_be_visible()
    page.get_by_role("button", name="Notifications").click()
    expect(page.get_by_role("dialog").get_by_text("Offline, trying again")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("could not be loaded")).to_be_visible()
    take(page, "state-offline")
