"""Targets in a real browser, without any script: add, try, be told of a job, remove."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from preferences import targets
from preferences.kinds import Channel
from preferences.models import Target
from tests import processes
from tests.browser.conftest import Visit
from tests.browser.test_pages import expect_accessible
from tests.cluster import submit, update
from tests.processes import wait_for
from tests.receiver import Receiver, running_receiver
from tests.targets import add_chat, add_webhook, allow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def open_receiver() -> Iterator[Receiver]:
    with running_receiver() as server:
        yield server


def test_from_the_form_to_the_message(
    visit: Visit, alice: User, open_receiver: Receiver, tmp_path: Path
) -> None:
    allow(Channel.APPRISE, Channel.WEBHOOK)
    page = visit("/profile/", alice, java_script_enabled=False)
    page.get_by_label("Kind").select_option("webhook")
    page.get_by_label("Name").fill("my server")
    page.get_by_role("textbox", name="Address", exact=True).fill(open_receiver.url + "/hook")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Send a test to my server").click()
    expect(page.get_by_text("The test was taken by my server")).to_be_visible()
    assert open_receiver.requests[0].json()["test"] is True
    with processes.worker(tmp_path, TARGETS_ALLOW_PRIVATE="127.0.0.1"):
        update(submit("resnet50", jobName="alice~resnet50"), state="FAILED")
        wait_for(lambda: len(open_receiver.requests) == 2)
    assert open_receiver.requests[1].json()["title"].startswith("resnet50 failed")
    page.reload()
    expect(page.get_by_text("Last arrived")).to_be_visible()
    page.get_by_text("Remove my server").click()
    page.get_by_role("button", name="Yes, remove it").click()
    expect(page.get_by_text("my server is removed.")).to_be_visible()
    assert not Target.objects.exists()


def test_the_page_is_accessible(visit: Visit, alice: User) -> None:
    add_chat(alice, "ntfys://ntfy.example.org/topic", name="a-name-without-an-end" * 2)
    off, _ = add_webhook(alice, "https://" + "long-" * 11 + "host.example.org/")
    targets.disable(off.pk, "The other side answered 410.")
    page = visit("/profile/", alice, viewport={"width": 390, "height": 844})
    expect(page.get_by_role("heading", name="Chat and webhooks")).to_be_visible()
    expect_accessible(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
