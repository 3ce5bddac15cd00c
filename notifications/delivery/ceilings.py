"""What the admin lets go out in an hour, to one user and in all. What is above waits for its end; none is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction

from notifications.delivery import bundles, queue
from notifications.delivery.queue import Claim
from notifications.models import Delivery, SentHour
from preferences.kinds import PERSONAL_CHANNELS, Channel
from preferences.models import ChannelPolicy
from preferences.timing import Hour, admit

EVERYBODY = 0
"""Stands for the user where all are counted."""

Gate = Callable[[Claim, Delivery], bool]


def gate_of(channel: Channel) -> Gate:
    """Whether a delivery may go out now; if not, it has been put off. Costs nothing without a ceiling."""
    policy = ChannelPolicy.objects.filter(channel=channel).first()
    if policy is None or channel not in PERSONAL_CHANNELS:
        return _open
    ceilings = {False: policy.in_all_an_hour, True: policy.per_user_an_hour}
    if not any(ceilings.values()):
        return _open

    def gate(claim: Claim, delivery: Delivery) -> bool:
        user_id = delivery.notification.user_id
        known = {(user_id if own else EVERYBODY): most for own, most in ceilings.items() if most}
        until = _take_place(channel, known)
        if until is not None:
            queue.hold(claim, until=until, together=channel in bundles.CHANNELS)
        return until is None

    return gate


def _open(claim: Claim, delivery: Delivery) -> bool:
    return True


@transaction.atomic
def _take_place(channel: Channel, ceilings: dict[int, int]) -> datetime | None:
    """None when there is room under all of them, and it has been taken; else when to try again.

    Workers wait for each other here, in the order of the rows, and for no longer than this takes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now = cursor.fetchone()[0]
    for user_id in sorted(ceilings):
        SentHour.objects.get_or_create(channel=channel, user_id=user_id, defaults={"began": now, "count": 0})
    rows = SentHour.objects.select_for_update().filter(channel=channel, user_id__in=ceilings)
    hours = {row.user_id: Hour(row.began, row.count) for row in rows.order_by("user_id")}
    after = {user: admit(now, ceiling=most, hour=hours[user]) for user, most in ceilings.items()}
    full = [hours[user].end for user, hour in after.items() if hour is None]
    if full:
        return max(full)
    for user, hour in after.items():
        if hour is not None:
            SentHour.objects.filter(channel=channel, user_id=user).update(began=hour.began, count=hour.count)
    return None
