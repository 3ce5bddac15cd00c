"""Alerts in the inbox: they arrive, show what is known, and end, without a reload."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from notifications.sources.ingest import alertmanager, line
from tests.browser.conftest import Visit
from tests.cluster import submit
from tests.unit.test_ingest_reading import alert, labels

pytestmark = pytest.mark.django_db(transaction=True)


def receive(status: str, **more: object) -> None:
    now = datetime.now(UTC)
    body = {"version": "4", "alerts": [alert(status=status, endsAt=now.isoformat(), **more)]}
    line.put(alertmanager.read(body, now=now, take_ownerless=False).new)


def test_an_alert_arrives_leads_to_its_job_and_is_resolved(visit: Visit, alice: User) -> None:
    now = datetime.now(UTC)
    framework = submit("bert", submissionTime=now - timedelta(hours=2))
    hostile = "<img src=x onerror=alert(1)>"
    same = {
        "startsAt": (now - timedelta(minutes=30)).isoformat(),
        "labels": labels(instance=hostile),
        "annotations": {"summary": f"GPUs are idle {hostile}", "runbook_url": "https://wiki.example.org/gpu"},
    }
    page = visit("/", alice)
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    receive("firing", **same)
    row = page.locator("notif-inbox .notice")
    expect(row).to_contain_text(f"GPUs are idle {hostile}")
    expect(page.locator("notif-toasts").get_by_text("GPUs are idle")).to_be_visible()
    row.locator("summary").click()
    expect(row.get_by_role("link", name="Open job")).to_have_attribute(
        "href", re.compile(f"/jobs/{framework}/$")
    )
    expect(row.get_by_role("link", name="Runbook")).to_have_attribute("href", "https://wiki.example.org/gpu")
    expect(row.locator(".facts")).to_contain_text(hostile)
    receive("resolved", **same)
    expect(row).to_contain_text("resolved after 30 minutes")
    expect(row).to_have_count(1)


def test_one_that_is_about_no_job_has_none_to_open(visit: Visit, alice: User) -> None:
    now = datetime.now(UTC)
    receive("firing", startsAt=now.isoformat(), labels={"alertname": "Hello", "username": "alice"})
    page = visit("/?event=alert", alice)
    row = page.locator("notif-inbox .notice")
    row.locator("summary").click()
    expect(row.locator(".facts")).to_contain_text("Hello")
    expect(row.get_by_role("link", name="Open job")).to_have_count(0)
