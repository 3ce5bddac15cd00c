"""Script in every text that a job, a user, an alert or an address can hold: it is shown as text on every page, and
nothing of it runs. (`visit` fails at dialogs, at errors, and at whatever the content policy has to stop.)"""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from notifications.models import Delivery
from notifications.sources.frameworks.models import WaitingJob
from notifications.sources.ingest.models import Received
from preferences.models import AddressRecord, Target
from tests.addresses import admin_path
from tests.asgi.inprocess import announce
from tests.browser.conftest import Visit
from tests.browser.notices import tell
from tests.cluster import submit

pytestmark = pytest.mark.django_db(transaction=True)

MARK = "MARK"
HOSTILE = f"{MARK}'\"><img src=x onerror=alert(1)><svg onload=alert(2)></script><script>alert(3)</script>{{{{7*7}}}}"
LINK = "javascript:alert(4)"
FRAMEWORK = "hostile-framework"
PLANTED = "img[src='x'], svg[onload], script:not([src]):not([type='application/json']), [onerror], [href^='javascript']"


@pytest.fixture
def eve(alice: User) -> User:
    """A user whose every text is hostile; of her, and of alice, whose page shows what her jobs say."""
    eve = User.objects.create_superuser(
        HOSTILE[:150], f'"{MARK}<b>"@example.org', "x", first_name=HOSTILE[:150]
    )
    at = timezone.now()
    file = f"extras:\n  jobStatusChangeNotification:\n    '{MARK}<img src=x onerror=alert(5)>': 1\n"
    submit(
        name=FRAMEWORK, user=eve.username, jobName=f"{eve.username}~{HOSTILE}", virtualCluster=HOSTILE,
        submissionTime=at, jobConfig=file,
    )  # fmt: skip
    details = dict.fromkeys(
        (
            "phrase",
            "why",
            "reason",
            "causer",
            "task",
            "message",
            "last_words",
            "output",
            "summary",
            "severity",
        ),
        HOSTILE,
    )
    more = {
        "solutions": [HOSTILE],
        "labels": {HOSTILE: HOSTILE, "alertname": HOSTILE},
        "url": LINK,
        "runbook": LINK,
    }
    for user in (eve, alice):
        for name, event in (
            (FRAMEWORK, "failed"),
            ("job:x", "failed"),
            ("alert:x", "alert"),
            ("f2", "retried"),
        ):
            tell(
                user, event=event, framework_name=name, job_name=HOSTILE, virtual_cluster=HOSTILE, submission_time=at,
                ordinal=0 if user is eve else 1, details={**details, **more, "framework": FRAMEWORK},
            )  # fmt: skip
    target = Target.objects.create(
        user=eve,
        channel="webhook",
        name=HOSTILE[:60],
        service=MARK,
        hint=HOSTILE[:60],
        secret="x",
        last_error=HOSTILE,
    )
    one = tell(eve, job_name=HOSTILE, framework_name="f3", details=details)
    Delivery.objects.create(notification=one, channel="email", state="failed", last_error=HOSTILE)
    Delivery.objects.create(notification=one, channel="webhook", target=target, last_error=HOSTILE)
    Received.objects.create(
        key=HOSTILE, kind="alert", user_name=HOSTILE, payload={HOSTILE: HOSTILE}, error=HOSTILE, waiting=False
    )
    AddressRecord.objects.create(user=eve, address=f"{MARK}<b>@example.org")
    WaitingJob.objects.create(
        framework_name=HOSTILE[:64], submission_time=at, user_name=HOSTILE, ordinal=0, since=at
    )
    return eve


def expect_harmless(page: Page) -> None:
    """In the page and, below it, in the trees of its elements, which Playwright's selectors look into."""
    expect(page.locator(PLANTED)).to_have_count(0)


def test_pages_and_elements_show_it_as_text(visit: Visit, eve: User, alice: User) -> None:
    for user in (eve, alice):
        page = visit("/", user)
        expect(page.locator("notif-inbox").get_by_text(MARK).first).to_be_visible()
        for row in page.locator("notif-inbox [data-id] summary").all():
            row.click()
        expect_harmless(page)
        page.get_by_role("button", name="Notifications").first.click()
        expect(page.get_by_role("dialog").get_by_text(MARK).first).to_be_visible()
        expect_harmless(page)
        tell(user, job_name=HOSTILE, framework_name="f9", virtual_cluster=HOSTILE, ordinal=user.pk)
        announce()
        expect(page.locator("notif-toasts").get_by_text(MARK).first).to_be_visible()
        expect_harmless(page)
    page = visit("/jobs/", eve)
    for path in (
        "/jobs/",
        f"/jobs/{FRAMEWORK}/",
        "/jobs/job:x/",
        "/jobs/alert:x/",
        "/profile/",
        "/job-file/",
    ):
        page.goto(path)
        expect_harmless(page)
    page.goto(f"/jobs/{FRAMEWORK}/")
    expect(page.get_by_text(MARK).first).to_be_visible()


def test_the_pages_without_script_show_it_as_text(visit: Visit, eve: User) -> None:
    page = visit("/", eve, java_script_enabled=False)
    for path in ("/", "/jobs/", f"/jobs/{FRAMEWORK}/", "/profile/"):
        page.goto(path)
        expect(page.get_by_text(MARK).first).to_be_visible()
        expect(page.locator("img[src='x'], svg[onload], [onerror], [href^='javascript']")).to_have_count(0)


def test_addresses_and_forms_give_it_back_as_text(visit: Visit, eve: User, db: None) -> None:
    hostile = quote(HOSTILE)
    page = visit("/", eve, forgive="status of 40")
    for path in (
        f"/?q={hostile}&event={hostile}&tab={hostile}", f"/jobs/?days={hostile}", f"/jobs/{hostile}/", f"/{hostile}",
        f"/unsubscribe/{hostile}/", f"{admin_path()}mails/?message={hostile}",
        f"{admin_path()}notifications/notification/?q={hostile}",
    ):  # fmt: skip
        page.goto(path)
        expect_harmless(page)
    page.goto("/job-file/")
    page.get_by_label("Or paste it here").fill(f"a: [{HOSTILE}")
    page.get_by_role("button").last.click()
    expect_harmless(page)
    page = visit(f"/accounts/login/?next={hostile}", forgive="status of 40")
    page.get_by_label("User name").fill(HOSTILE)
    page.get_by_label("Password").fill("not-hers")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect_harmless(page)


def test_the_admin_shows_it_as_text(visit: Visit, eve: User) -> None:
    page = visit(admin_path(), eve, forgive="status of 40")
    lists = [link.get_attribute("href") or "" for link in page.locator("th a[href*='/']").all()]
    lists = sorted({path for path in lists if path.startswith(admin_path()) and path.count("/") == 4})
    assert len(lists) > 10
    seen = 0
    for path in lists:
        page.goto(path)
        expect_harmless(page)
        seen += MARK in page.content()
        row = page.locator("#result_list tbody th a").first
        if row.count():
            row.click()
            page.wait_for_load_state()
            expect_harmless(page)
    assert seen >= 5, "the hostile texts are on these pages at all"
