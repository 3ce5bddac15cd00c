"""The list of jobs, as a browser without script uses it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.cluster import submit_named

pytestmark = pytest.mark.django_db


def test_it_lists_own_jobs_with_links_to_their_pages(browser: Client) -> None:
    submit_named("mine", state="RUNNING")
    submit_named("bobs", owner="bob")
    page = browser.get("/jobs/").content.decode()
    assert 'href="/jobs/mine/"' in page
    assert "bobs" not in page


def test_a_name_that_needs_quoting_does_not_break_the_list(browser: Client) -> None:
    submit_named("a/b?c#d")
    assert 'href="/jobs/a%2Fb%3Fc%23d/"' in browser.get("/jobs/").content.decode()


def test_older_and_newer_lead_through_the_pages(browser: Client) -> None:
    now = timezone.now()
    for number in range(60):
        submit_named(f"job{number}", at=now - timedelta(minutes=number))
    first = browser.get("/jobs/")
    assert "Newer" not in first.content.decode()
    older = browser.get("/jobs/", {"days": "30", "cursor": str(first.context["page"].next)})
    assert len(older.context["page"].jobs) == 10
    newer = browser.get("/jobs/", {"cursor": str(older.context["page"].previous)})
    assert newer.context["page"].jobs == first.context["page"].jobs


def test_a_query_that_cannot_be_read_leads_to_the_plain_list(browser: Client) -> None:
    assert browser.get("/jobs/?days=x&cursor=y")["Location"] == "/jobs/"
