"""Mails that wait to go out as one."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import F

from notifications.models import Delivery, DeliveryState, MailWindow
from tests.deliveries import make_deliveries

BUNDLED, PENDING, SENT = DeliveryState.BUNDLED, DeliveryState.PENDING, DeliveryState.SENT
MINUTE = timedelta(minutes=1)


def pass_time(by: timedelta) -> None:
    """As if it had all been so much earlier."""
    Delivery.objects.update(
        due_at=F("due_at") - by, planned_at=F("planned_at") - by, created_at=F("created_at") - by
    )
    MailWindow.objects.update(until=F("until") - by)


def bundle(user: User, count: int) -> list[Delivery]:
    """Deliveries whose window has just ended."""
    made = make_deliveries(user, count)
    Delivery.objects.filter(id__in=[one.id for one in made]).update(state=BUNDLED)
    return made


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))
