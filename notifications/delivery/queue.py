"""The delivery table as a queue: take with a lease, say how it went.

Every statement reckons in the database's clock. Whoever says how it went must still hold the lease, known by the
moment at which it ends: a worker whose lease ran out cannot overwrite what its successor does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from notifications import counting
from notifications.delivery.base import MAX_ERROR_CHARACTERS
from notifications.delivery.wanted import CANCELLED
from notifications.models import ENDED_UNSENT, Delivery, DeliveryState
from notifications.wording import one_line
from preferences.kinds import Channel
from preferences.prepared import PreparedByName

# Materialized, because a sub-select in WHERE … IN may be run anew for each row and lock more than LIMIT.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM notifications_delivery
     WHERE channel = %(channel)s AND state IN ('pending', 'leased', 'retry') AND due_at <= statement_timestamp()
       AND NOT (%(heed_pause)s AND EXISTS (
           SELECT FROM preferences_channelpolicy WHERE channel = %(channel)s AND paused))
     ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE notifications_delivery AS delivery
   SET state = 'leased', attempts = delivery.attempts + 1,
       due_at = statement_timestamp() + make_interval(secs => %(lease_seconds)s),
       last_error = CASE delivery.state WHEN 'leased' THEN %(lost)s ELSE delivery.last_error END
  FROM due WHERE delivery.id = due.id
RETURNING delivery.id, delivery.due_at, delivery.attempts, delivery.refusals, delivery.bundle_size
"""

SETTLE = """
UPDATE notifications_delivery
   SET state = %(state)s, last_error = %(error)s,
       sent_at = CASE WHEN %(state)s = 'sent' THEN statement_timestamp() ELSE sent_at END,
       refusals = refusals + CASE WHEN %(state)s = 'retry' THEN 1 ELSE 0 END,
       due_at = COALESCE(statement_timestamp() + make_interval(secs => %(pause_seconds)s), due_at),
       planned_at = COALESCE(statement_timestamp() + make_interval(secs => %(pause_seconds)s), planned_at)
 WHERE id = %(id)s AND state = 'leased' AND due_at = %(until)s
"""
# One round trip and no transaction block: there is one of these for every mail.
SETTLE_AND_COUNT = PreparedByName(
    "notifcenter_settle",
    {
        "id": "bigint", "until": "timestamptz", "state": "text", "error": "text", "pause_seconds": "float8",
        "metric": "text", "outcome": "text", "shards": "int", "by": "float8",
    },
    f"WITH settled AS ({SETTLE} RETURNING channel) {counting.COUNT_SETTLED}",
)  # fmt: skip
SETTLE_OTHERS = """
UPDATE notifications_delivery SET state = %(state)s, last_error = %(error)s,
       sent_at = CASE WHEN %(state)s = 'sent' THEN statement_timestamp() ELSE sent_at END
 WHERE bundle_id = %(id)s AND state = 'bundled'
"""
COUNT_OTHERS = "SELECT count(*) FROM notifications_delivery WHERE bundle_id = %(id)s AND state = 'bundled'"

LEASE_LOST = "The worker that had it ended, or was stuck, before it could say how the sending went."

Also = Callable[[], None] | None
"""What is to be done in the transaction that settles a delivery."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours until the lease runs out, which no other lease of it does at the same microsecond.

    `attempts` counts this one too; `refusals` how often a temporary error has put it off. With a `bundle_size` of
    more than one, those bundled with it share its fate.
    """

    id: int
    until: datetime
    attempts: int
    refusals: int = 0
    bundle_size: int = 1

    @property
    def leases_lost(self) -> int:
        """How many workers ended, or were stuck, while they had it."""
        return self.attempts - 1 - self.refusals


def claim(channel: Channel, *, limit: int, heed_pause: bool = True) -> list[Claim]:
    """Take up to `limit` due deliveries of a channel, oldest first; none while it pauses.

    A leased one whose lease has run out is taken again: its worker is dead or stuck.
    """
    values: dict[str, Any] = {
        "channel": channel.value,
        "limit": limit,
        "heed_pause": heed_pause,
        "lease_seconds": settings.DELIVERY_LEASE_SECONDS,
        "lost": LEASE_LOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        return sorted((Claim(*row) for row in cursor), key=lambda taken: taken.id)


def mark_sent(taken: Claim, *, also: Also = None) -> bool:
    """`also` is done in the same transaction."""
    return _settle(taken, DeliveryState.SENT, also=also)


def mark_retry(taken: Claim, *, error: str, pause_seconds: float) -> bool:
    """A temporary error puts it off."""
    return _settle(taken, DeliveryState.RETRY, error, pause_seconds=pause_seconds)


def mark_failed(taken: Claim, *, error: str, also: Also = None) -> bool:
    """`also` is done in the same transaction."""
    return _settle(taken, DeliveryState.FAILED, error, also=also)


def mark_dropped(taken: Claim, *, reason: str) -> bool:
    """Nobody wants it any more."""
    return _settle(taken, DeliveryState.DROPPED, reason)


def give_back(taken: Claim, *, error: str = "", pause_seconds: float = 0) -> bool:
    """It was not tried, so the attempt does not count."""
    state = DeliveryState.RETRY if error or taken.attempts > 1 else DeliveryState.PENDING
    values = {"last_error": _cut(error)} if error else {}
    return _update(taken, state=state, due_at=_in(pause_seconds), attempts=F("attempts") - 1, **values)


def hold(taken: Claim, *, until: datetime, together: bool) -> bool:
    """There is no room for it now. `together`: with what else waits for that time it goes out as one."""
    values: dict[str, object] = {"due_at": until, "planned_at": until}
    if together:
        values |= {"state": DeliveryState.BUNDLED, "bundle": None, "bundle_size": 1}
    else:
        values["state"] = DeliveryState.RETRY if taken.attempts > 1 else DeliveryState.PENDING
    with transaction.atomic():
        held = _update(taken, attempts=F("attempts") - 1, **values)
        if held and taken.bundle_size > 1:
            Delivery.objects.filter(bundle_id=taken.id, state=DeliveryState.BUNDLED).update(
                bundle=None, due_at=until, planned_at=until
            )
    return held


def try_again(ids: Collection[int], *, states: Collection[str] = ENDED_UNSENT) -> list[int]:
    """Put deliveries that have ended in one of `states` back in line, as if never tried; returns which.

    Those that were in a bundle go out together again.
    """
    was_bundled = Q(bundle_size__gt=1) | Q(bundle__isnull=False)
    with transaction.atomic():
        ended = Delivery.objects.select_for_update().filter(id__in=ids, state__in=states)
        found = list(ended.order_by("id").values_list("id", flat=True))
        Delivery.objects.filter(id__in=found).update(
            state=Case(
                When(was_bundled, then=Value(DeliveryState.BUNDLED)), default=Value(DeliveryState.PENDING)
            ),
            bundle=None,
            bundle_size=1,
            attempts=0,
            refusals=0,
            due_at=Now(),
            planned_at=Now(),
            sent_at=None,
        )
    return found


def cancel(ids: Collection[int], *, by: str) -> list[int]:
    """Drop what waits, or was left behind by a worker that has ended; returns which.

    What was to go out together with one of them gets another bundle.
    """
    in_line = [DeliveryState.PENDING, DeliveryState.RETRY]
    left_behind = Q(state=DeliveryState.LEASED, due_at__lte=Now())
    bundled = Q(state=DeliveryState.BUNDLED) & (Q(bundle=None) | Q(bundle__state__in=in_line))
    tally = counting.Tally()
    with transaction.atomic():
        waiting = Delivery.objects.select_for_update(of=("self",)).filter(id__in=ids)
        waiting = waiting.filter(Q(state__in=in_line) | left_behind | bundled).order_by("id")
        found = dict(waiting.values_list("id", "channel"))
        Delivery.objects.filter(id__in=found).update(
            state=DeliveryState.DROPPED, last_error=_cut(f"{CANCELLED}{by}.")
        )
        Delivery.objects.filter(bundle__in=found, state=DeliveryState.BUNDLED).update(bundle=None)
        for channel in found.values():
            tally.add(counting.DELIVERIES, channel, counting.DROPPED)
        tally.store()
    return list(found)


def _settle(
    taken: Claim,
    state: DeliveryState,
    error: str = "",
    *,
    pause_seconds: float | None = None,
    also: Also = None,
) -> bool:
    """An attempt has come out so. False when the lease was lost meanwhile."""
    alone = taken.bundle_size == 1
    values: dict[str, Any] = {
        "id": taken.id,
        "until": taken.until,
        "state": state.value,
        "error": _cut(error),
        "pause_seconds": pause_seconds,
        **counting.settled(state.value),
    }
    with nullcontext() if alone and also is None else transaction.atomic():
        with connection.cursor() as cursor:
            if alone:
                SETTLE_AND_COUNT.execute_with(cursor, values)
            else:
                cursor.execute(SETTLE, values)
            held = bool(cursor.rowcount == 1)
        if held and also:
            also()
        if held and not alone:
            counting.count_delivery(taken.id, state.value, by=1 + _settle_others(taken, state, values))
    return held


def _settle_others(taken: Claim, state: DeliveryState, values: Mapping[str, Any]) -> int:
    """Those in its bundle; while it is to be tried again they only wait. Returns how many they are."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_OTHERS if state is DeliveryState.RETRY else SETTLE_OTHERS, values)
        return int(cursor.fetchone()[0]) if state is DeliveryState.RETRY else cursor.rowcount


def _update(taken: Claim, **values: object) -> bool:
    held = Delivery.objects.filter(id=taken.id, state=DeliveryState.LEASED, due_at=taken.until)
    return held.update(**values) == 1


def _in(seconds: float) -> object:
    return Now() + timedelta(seconds=seconds)


def _cut(text: str) -> str:
    return one_line(text)[:MAX_ERROR_CHARACTERS]
