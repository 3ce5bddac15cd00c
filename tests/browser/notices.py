"""Notifications as the poller stores them, for pages that only show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from notifications.listening import LIVE_CHANNEL
from notifications.models import Notification
from preferences.models import UserPreference
from tests.cluster import framework_name

FAILURE = {
    "exit_code": 137,
    "phrase": "OOMKilled",
    "why": "out of memory",
    "reason": "The container used more memory than it had asked for.",
    "causer": "user",
    "solutions": ["Ask for more memory per task.", "Use a smaller batch or a smaller model."],
    "task": "worker[3]",
    "waited_seconds": 90,
    "ran_seconds": 7500,
    "gpus": 4,
}


def tell(user: User, job: str = "resnet50", event: str = "failed", **values: Any) -> Notification:
    now = datetime.now(UTC)
    return Notification.objects.create(
        **{
            "user": user,
            "event": event,
            "framework_name": framework_name(job, user.username),
            "submission_time": now - timedelta(hours=3),
            "job_name": job,
            "virtual_cluster": "default",
            "details": FAILURE if event == "failed" else {},
            "occurred_at": now - timedelta(minutes=5),
            **values,
        }
    )


def quiet_but_for_failures(user: User) -> None:
    """The user's quiet hours are now."""
    now, hours = timezone.now(), timedelta(hours=6)
    UserPreference.objects.create(
        user=user,
        quiet_from=(now - hours).time(),
        quiet_until=(now + hours).time(),
        failures_pass_quiet=True,
    )


def tell_live(user: User, events: dict[str, int]) -> None:
    """So many of each event, in one transaction, and open pages hear of them."""
    with transaction.atomic():
        for event, count in events.items():
            for number in range(count):
                tell(user, f"{event}-{number}", event)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [LIVE_CHANNEL])
