"""A job's page: its life drawn, what was told and why, and switches that hold for it alone; with and without script."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from notifications.models import Notification
from preferences.models import JobConfig
from tests.browser.conftest import Visit
from tests.browser.notices import FAILURE, tell
from tests.cluster import ended, framework_name, submit, update
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = f"/jobs/{framework_name('resnet50')}/"
both = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


@both
def test_its_life_is_drawn_and_says_why_it_ended(visit: Visit, alice: User, script: bool) -> None:
    submitted = timezone.now() - timedelta(hours=2)
    at: dict[str, Any] = {"submission_time": submitted}
    name = submit(
        "resnet50", submissionTime=submitted, retries=1, launchTime=submitted + timedelta(minutes=80)
    )
    tell(
        alice,
        event="retried",
        ordinal=1,
        occurred_at=submitted + timedelta(minutes=60),
        details={"attempt": 1, "ran_seconds": 1800, "why": "the node was lost"},
        **at,
    )
    tell(
        alice, details={**FAILURE, "ran_seconds": 1200}, occurred_at=submitted + timedelta(minutes=100), **at
    )
    update(name, **ended(ago=timedelta(minutes=20)))
    page = visit(PAGE, alice, java_script_enabled=script)
    life = page.get_by_role("region", name="Its life")
    kinds = life.locator("rect").evaluate_all(
        "all => all.sort((a, b) => a.x.baseVal.value - b.x.baseVal.value).map(({ dataset }) => dataset.kind)"
    )
    assert kinds == ["waiting", "running", "waiting", "running"]
    spans = life.get_by_role("listitem")
    expect(spans).to_have_count(4)
    expect(spans.nth(1)).to_contain_text(re.compile(r"Attempt 1:\s+Running\s+30 minutes · the node was lost"))
    expect(spans.nth(3)).to_contain_text(re.compile(r"Attempt 2:\s+Running\s+20 minutes · out of memory"))
    told = page.get_by_role("region", name="What was told")
    expect(told.get_by_text("resnet50 failed: out of memory")).to_be_visible()
    expect(told.get_by_text("Ask for more memory per task.")).to_be_visible()


@both
def test_its_switches_hold_for_it_alone(visit: Visit, alice: User, script: bool) -> None:
    submit("resnet50")
    page = visit(PAGE, alice, java_script_enabled=script)
    expect(page.get_by_text("Not told: the site's default").first).to_be_visible()
    page.get_by_label("Running").select_option("Yes")
    page.get_by_label("Failed").select_option("No")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The switches of this job are saved.")).to_be_visible()
    assert JobConfig.objects.get().events == {"running": True, "failed": False}
    expect(page.get_by_text("Told: set here", exact=True)).to_be_visible()
    update(framework_name("resnet50"), state="RUNNING")
    update(submit("bert-base"), state="RUNNING")
    update(submit("bert-large"), state="FAILED")
    wait_for(lambda: Notification.objects.filter(job_name="bert-large").exists())
    wait_for(lambda: Notification.objects.filter(job_name="resnet50", event="running").exists())
    assert not Notification.objects.filter(job_name="bert-base").exists()
    page.get_by_label("Mute this job").select_option("For good")
    page.get_by_role("button", name="Save").click()
    wait_for(lambda: JobConfig.objects.get().muted)
    page.get_by_role("button", name="Forget what is set here").click()
    expect(page.get_by_text("This job has no switches of its own any more.")).to_be_visible()
    expect(page.get_by_text("Not told: the site's default").first).to_be_visible()
    assert not JobConfig.objects.exists()
