"""What is old, and its removal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from notifications import retention
from notifications.models import (
    Delivery,
    DeliveryState,
    Notification,
)
from tests.cluster import ALL_EVENTS, ended, started, submit, told, update
from tests.database import sql
from tests.deliveries import make_delivery
from tests.pollers import drain

DAYS = 30
OLD = timedelta(days=DAYS + 1)
YOUNG = timedelta(days=DAYS - 1)


def age(by: timedelta, **which: object) -> None:
    """As if all that was told, and the jobs it is about, were so much older."""
    Notification.objects.filter(**which).update(
        created_at=F("created_at") - by,
        occurred_at=F("occurred_at") - by,
        submission_time=F("submission_time") - by,
    )
    sql(
        "SET session_replication_role = replica"
    )  # no change of the cluster's, which the trigger would capture
    for column in ("submissionTime", "completionTime", "launchTime", "updatedAt"):
        sql(f'UPDATE frameworks SET "{column}" = "{column}" - %s', by)
    sql("SET session_replication_role = DEFAULT")


def prune(wait: Callable[[float], bool] = lambda _: False, days: int = DAYS) -> retention.Pruned:
    return retention.prune(days=days, wait=wait)


def sent(user: User, **values: Any) -> Delivery:
    delivery = make_delivery(user, **values)
    Delivery.objects.filter(id=delivery.id).update(state=DeliveryState.SENT)
    now = timezone.now()
    Notification.objects.filter(id=delivery.notification_id).update(occurred_at=now, created_at=now)
    return delivery


def finished_job(**columns: object) -> str:
    """Told from start to end, and now old."""
    name = submit(**ALL_EVENTS)
    update(name, **started())
    update(name, **ended("SUCCEEDED"), **columns)
    drain()
    assert told(name) == [("running", 0), ("succeeded", 0)]
    age(OLD)
    return name
