"""Mails as a mail program shows them, their preview in the admin, and the page behind their links."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.utils import translation
from playwright.sync_api import Browser, expect

from notifications.delivery import samples
from notifications.delivery.rendering import render
from notifications.unsubscribe import Scope, Subscription
from preferences.models import UserPreference
from tests.browser.conftest import Visit
from tests.browser.test_pages import expect_accessible
from tests.cluster import submit
from tests.deliveries import make_delivery

with_database = pytest.mark.django_db(transaction=True)

WIDTHS = (320, 390, 700)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_mail_is_accessible_and_nothing_sticks_out(browser: Browser, language: str) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in samples.NAMES:
        with translation.override(language):
            page.set_content(render(samples.message(name)).html)
        expect_accessible(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, (name, width)
    assert asked == []
    page.close()


@with_database
def test_the_preview_shows_the_mail_in_frames(visit: Visit, root: User) -> None:
    page = visit("/admin/", root, forgive=r"404 \(Not Found\)")  # its icon, which only our own pages name
    page.get_by_role("link", name="What mails look like").click()
    page.get_by_label("Message").select_option("failed")
    page.get_by_label("Language").select_option("zh-hans")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("[cluster] 失败：resnet50-lr3：GPU 显存不足")).to_be_visible()
    for title in ("The mail on a wide screen", "The mail on a phone"):
        heading = page.frame_locator(f'iframe[title="{title}"]').get_by_role("heading", level=1)
        expect(heading).to_have_text("resnet50-lr3 失败：GPU 显存不足")


@with_database
def test_a_job_is_muted_from_its_mail_without_signing_in(visit: Visit, alice: User) -> None:
    UserPreference.objects.create(user=alice, language="en")
    delivery = make_delivery(alice, framework_name=submit("resnet50-lr3"))
    path = urlsplit(Subscription.of(delivery.notification, Scope.JOB).url).path
    page = visit(path, reduced_motion="reduce", viewport={"width": 390, "height": 844})
    expect_accessible(page)
    page.get_by_role("button", name="Mute the job").click()
    expect(page.get_by_role("heading", name="resnet50-lr3 is muted")).to_be_visible()
    expect_accessible(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Mute resnet50-lr3?")).to_be_visible()
    expect(page.get_by_text("Undone.")).to_be_visible()
