"""Deliveries to send in tests, made as the poller makes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now

from notifications.groups.models import JobGroup
from notifications.models import Delivery, Notification
from preferences.kinds import Channel

SUBMITTED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OCCURRED = datetime(2026, 11, 22, 13, 7, tzinfo=UTC)


def make_delivery(user: User, *, job_name: str = "resnet50-lr3", **values: Any) -> Delivery:
    """A due delivery of one failed job; `values` are fields of its notification."""
    number = Notification.objects.count()
    notification = Notification.objects.create(
        **{
            "user": user,
            "event": "failed",
            "framework_name": f"{number:032x}",
            "submission_time": SUBMITTED,
            "job_name": job_name,
            "occurred_at": OCCURRED,
            **values,
        }
    )
    return Delivery.objects.create(notification=notification, channel=Channel.EMAIL)


def make_deliveries(user: User, count: int) -> list[Delivery]:
    notifications = Notification.objects.bulk_create(
        Notification(
            user=user,
            event="failed",
            framework_name=f"{number:032x}",
            submission_time=SUBMITTED,
            job_name=f"job-{number}",
            occurred_at=OCCURRED,
        )
        for number in range(count)
    )
    return Delivery.objects.bulk_create(
        Delivery(notification=notification, channel=Channel.EMAIL) for notification in notifications
    )


def reloaded(delivery: Delivery) -> Delivery:
    return Delivery.objects.get(id=delivery.id)


def make_due(*deliveries: Delivery) -> None:
    Delivery.objects.filter(id__in=[delivery.id for delivery in deliveries]).update(due_at=Now())


def seconds_until_due(delivery: Delivery) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        return float((reloaded(delivery).due_at - cursor.fetchone()[0]).total_seconds())


def make_group(user: User, *, stem: str = "resnet50-lr*", **counts: int) -> JobGroup:
    """A sweep; `counts` by state, by default two jobs that run."""
    counts = counts or {"running": 2}
    return JobGroup.objects.create(
        key=uuid4(),
        number=1,
        user_name=user.username,
        virtual_cluster="default",
        stem=stem,
        started_at=SUBMITTED,
        changed_at=OCCURRED,
        jobs=sum(counts.values()),
        **counts,
    )
