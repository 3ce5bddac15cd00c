"""What the admin lets go out in an hour, to one user and in all. What is above waits for its end; none is lost.

A place is taken before the sending, or workers would together send more, and given back when nothing has gone out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from notifications.delivery import bundles, queue
from notifications.delivery.queue import Claim
from notifications.models import Delivery, SentHour
from preferences.kinds import PERSONAL_CHANNELS, Channel
from preferences.models import ChannelPolicy
from preferences.timing import Hour, admit

EVERYBODY = 0
"""Stands for the user where all are counted."""

Taken = Mapping[int, datetime]
"""When the hour began in which a place was taken, by user or EVERYBODY."""


class Gate:
    """For deliveries that are sent one after the other. Costs nothing without a ceiling."""

    def __init__(self, channel: Channel, policy: ChannelPolicy | None = None) -> None:
        self._channel = channel
        self._in_all = policy.in_all_an_hour if policy else None
        self._per_user = policy.per_user_an_hour if policy else None
        self._taken: Taken = {}

    def is_full(self, claim: Claim, delivery: Delivery) -> bool:
        """Whether it may not go out now, and has been put off. Takes no place: asked before there is a connection."""
        ceilings = self._ceilings(delivery)
        rows = SentHour.objects.filter(channel=self._channel)
        until = _full_until(_places(rows, ceilings)) if ceilings else None
        if until:
            self._put_off(claim, until)
        return until is not None

    def has_room(self, claim: Claim, delivery: Delivery) -> bool:
        """Whether it may go out now, and a place for it is taken; if not, it has been put off."""
        if not (ceilings := self._ceilings(delivery)):
            return True
        taken = _take_place(self._channel, ceilings)
        if isinstance(taken, datetime):
            self._put_off(claim, taken)
            return False
        self._taken = taken
        return True

    def _ceilings(self, delivery: Delivery) -> Mapping[int, int]:
        own = {EVERYBODY: self._in_all, delivery.notification.user_id: self._per_user}
        return {user: most for user, most in own.items() if most}

    def _put_off(self, claim: Claim, until: datetime) -> None:
        queue.hold(claim, until=until, together=self._channel in bundles.CHANNELS)

    def give_back(self) -> None:
        """The place that was taken last: what it was for has not gone out. One at a time, so that nobody waits in a
        circle."""
        taken, self._taken = self._taken, {}
        for user_id, began in taken.items():
            hour = SentHour.objects.filter(channel=self._channel, user_id=user_id, began=began, count__gt=0)
            hour.update(count=F("count") - 1)


def gate_of(channel: Channel) -> Gate:
    policy = ChannelPolicy.objects.filter(channel=channel).first() if channel in PERSONAL_CHANNELS else None
    return Gate(channel, policy)


_Places = Mapping[int, tuple[Hour, Hour | None]]
"""By user the hour as it stands, and the same with one more in it; None for one that is full."""


def _places(rows: QuerySet[SentHour], ceilings: Mapping[int, int]) -> _Places:
    found: dict[int, tuple[Hour, Hour | None]] = {}
    for row in rows.filter(user_id__in=ceilings).annotate(now=Now()):
        hour = Hour(row.began, row.count)
        found[row.user_id] = hour, admit(row.now, ceiling=ceilings[row.user_id], hour=hour)
    return found


def _full_until(places: _Places) -> datetime | None:
    """When to try again; None while there is room under all ceilings."""
    return max((hour.end for hour, after in places.values() if after is None), default=None)


@transaction.atomic
def _take_place(channel: Channel, ceilings: Mapping[int, int]) -> Taken | datetime:
    """The places that were taken, when there is room under all ceilings; else when to try again.

    Workers wait for each other here, in the order of the rows, and for no longer than this takes.
    """
    for user_id in sorted(ceilings):
        SentHour.objects.get_or_create(
            channel=channel, user_id=user_id, defaults={"began": Now(), "count": 0}
        )
    places = _places(
        SentHour.objects.select_for_update().filter(channel=channel).order_by("user_id"), ceilings
    )
    if until := _full_until(places):
        return until
    taken = {user: after for user, (_, after) in places.items() if after is not None}
    for user, hour in taken.items():
        SentHour.objects.filter(channel=channel, user_id=user).update(began=hour.began, count=hour.count)
    return {user: hour.began for user, hour in taken.items()}
