"""The inbox as the server draws it, for a browser without script."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notifications.models import Notification
from tests.inbox import LIST, notify

EVIL = "javascript:alert(1)"


@pytest.mark.parametrize(
    ("framework", "details"),
    [
        ("f", {"url": EVIL}),
        ("f", {"runbook_url": EVIL}),
        ("job:f", {"url": EVIL}),
        ("f", {"url": ["x"], "runbook_url": {"x": 1}}),
        ("a/b?c#d", {}),
    ],
)
def test_a_notification_leads_to_addresses_only(
    browser: Client, alice: User, framework: str, details: Any
) -> None:
    notify(alice, framework_name=framework, details=details)
    page = browser.get("/")
    assert page.status_code == 200
    assert 'href="javascript' not in page.content.decode()
    assert browser.get(LIST).json()["results"][0]["url"].startswith("http")


def test_a_job_at_another_scheduler_is_opened_there(browser: Client, alice: User) -> None:
    notify(alice, framework_name="job:f", details={"url": "https://slurm.example.org/7?a=1&b=2"})
    assert 'href="https://slurm.example.org/7?a=1&amp;b=2"' in browser.get("/").content.decode()


@pytest.mark.parametrize(
    ("target", "goes_to"),
    [("/?tab=all", "/?tab=all"), ("word", "/"), ("//evil.example", "/"), ("javascript:alert(1)", "/")],
)
def test_after_marking_as_read_back_to_where_one_was(
    browser: Client, alice: User, target: str, goes_to: str
) -> None:
    [one] = notify(alice)
    answer = browser.post("/inbox/mark-read/", {"ids": [one], "next": target})
    assert (answer.status_code, answer["Location"]) == (302, goes_to)
    assert Notification.objects.get().read_at is not None
