"""Notifications in inboxes, and the addresses at which the REST has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from notifications.models import Notification

LIST = "/api/v1/notifications/"
MARK_READ = "/api/v1/notifications/mark-read/"
UNREAD = "/api/v1/notifications/unread/"
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


AS_NEW = "TRUNCATE notifications_notification CASCADE"
"""Before a test of a plan: what other tests have left in the table's pages and statistics would take part in it."""


def notify(user: User, count: int = 1, **values: Any) -> list[int]:
    """Notifications of `count` jobs; returns their ids, ascending."""
    before = Notification.objects.count()
    made = Notification.objects.bulk_create(
        Notification(**{
            "user": user, "event": "failed", "framework_name": f"framework-{before + number}",
            "submission_time": START, "job_name": f"job-{before + number}",
            "occurred_at": START + timedelta(minutes=number), "virtual_cluster": "default", **values,
        })
        for number in range(count)
    )  # fmt: skip
    return [one.pk for one in made]


def ids(page: dict[str, Any]) -> list[int]:
    return [one["id"] for one in page["results"]]
