"""The sending loop: take a few due deliveries, send each, write down at once how it went.

At least once: between the other side's "yes" and our note of it lies one delivery, and a worker killed there
sends that one again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from notifications.delivery import bundles, ceilings, pausing, queue, quiet
from notifications.delivery.backoff import Breaker, pause_seconds
from notifications.delivery.base import (
    AddressRefused,
    ChannelBroken,
    ChannelDown,
    DeliveryError,
    Stalled,
    Transport,
)
from notifications.delivery.ceilings import Gate
from notifications.delivery.queue import Also, Claim
from notifications.delivery.registry import TRANSPORTS
from notifications.delivery.wanted import ABOUT_ONE, why_not_wanted
from notifications.models import Delivery
from preferences.kinds import Channel

logger = logging.getLogger(__name__)

BATCH_SIZE = 25
SUSPECT_LEASES_LOST = 2
"""A delivery that has lost so many workers may be what ends them: it is sent alone."""
MOST_LEASES_LOST = 30
"""A delivery that has lost so many workers, on its own for most of the time, will lose the next one too."""

breaker = Breaker()
stopping = threading.Event()
"""Set when this process is to end: what was taken and not yet sent goes back at once."""

LOADED = ("notification__user__preference", "notification__user__address_record", "notification__group")
"""What a transport finds loaded with a delivery."""

Job = tuple[Claim, Delivery]


def deliver_for(*, seconds: float) -> bool:
    """Send until nothing is due any more or the time is over; returns whether there may be more."""
    end = time.monotonic() + seconds
    while not stopping.is_set() and time.monotonic() < end:
        if not deliver_once():
            return False
    return True


def deliver_once(*, limit: int = BATCH_SIZE) -> bool:
    """Take and settle one batch of each channel, in any order; returns whether there may be more."""
    resting = breaker.resting(TRANSPORTS)
    channels = [channel for channel in TRANSPORTS if channel not in resting]
    more = False
    for channel in random.sample(channels, len(channels)):
        more = _deliver(channel, limit) or more
    return more


def _deliver(channel: Channel, limit: int) -> bool:
    if stopping.is_set():
        return False
    if channel in bundles.CHANNELS:
        bundles.form(channel)
    if pausing.takes_try(channel):
        _send_all(channel, _worth_a_try(channel), _halfway())
        return True
    halfway = _halfway()
    taken = queue.claim(channel, limit=limit)
    kept = _at_most_one_suspect(taken)
    _send_all(channel, _worth_sending(kept), halfway)
    return len(taken) == limit or len(kept) < len(taken)


def _halfway() -> float:
    return time.monotonic() + settings.DELIVERY_LEASE_SECONDS / 2


def _worth_a_try(channel: Channel) -> list[Job]:
    """One delivery of a channel that pauses, if one is to be sent now; what is not is no try."""
    for together in (False, True):
        if together:  # all that is left waits for a bundle
            bundles.form(channel, heed_pause=False)
        while not stopping.is_set() and (taken := queue.claim(channel, limit=1, heed_pause=False)):
            if jobs := _worth_sending(taken):
                return jobs
    return []


def _at_most_one_suspect(taken: list[Claim]) -> list[Claim]:
    """A suspect goes alone, so that it cannot take the others' leases along again and again."""
    suspect = next((claim for claim in taken if claim.leases_lost >= SUSPECT_LEASES_LOST), None)
    if suspect is None:
        return taken
    _give_back([other for other in taken if other is not suspect])
    return [suspect]


def _worth_sending(taken: Sequence[Claim]) -> list[Job]:
    """Settles those that need no sending any more, and puts off those that need none now."""
    found = Delivery.objects.select_related(*LOADED).in_bulk([claim.id for claim in taken])
    unwanted = why_not_wanted(list(found.values()))
    jobs = []
    for claim in taken:
        delivery = found.get(claim.id)
        if delivery is None:  # deleted meanwhile
            continue
        if claim.leases_lost >= MOST_LEASES_LOST:
            _fail(claim, delivery, f"Given up: {claim.leases_lost} workers have ended while they had it.")
        elif delivery.id in unwanted:
            reason = unwanted[delivery.id]
            _drop(bundles.without_others(claim) if reason in ABOUT_ONE else claim, delivery, reason)
        elif until := quiet.held_until(delivery):
            queue.hold(claim, until=until, together=True)
        else:
            if claim.bundle_size > 1:
                bundles.drop_unwanted(claim)
            jobs.append((claim, delivery))
    return jobs


def _send_all(channel: Channel, jobs: Sequence[Job], halfway: float) -> None:
    """Past half the lease what is left goes back: the next send might outlive it."""
    if not jobs:
        return
    in_trouble = pausing.is_in_trouble(channel)
    gate = ceilings.gate_of(channel)
    with TRANSPORTS[channel]() as transport:
        transport.announce([delivery for _, delivery in jobs])
        for position, (claim, delivery) in enumerate(jobs):
            left = [claim for claim, _ in jobs[position:]]
            if stopping.is_set() or time.monotonic() > halfway:
                _give_back(left)
                logger.info("gave back channel=%s count=%d", channel, len(left))
                return
            try:
                works = _send(transport, claim, delivery, gate)
            except ChannelBroken as broken:
                pausing.pause_by_itself(channel, reason=str(broken))
                _give_back(left, error=str(broken))
                return
            except ChannelDown as down:
                _rest(channel, left, str(down))
                return
            except Stalled as stalled:
                _rest(channel, left[1:], str(stalled))
                return
            if works and in_trouble:
                pausing.works_again(channel)
                in_trouble = False


def _send(transport: Transport, claim: Claim, delivery: Delivery, gate: Gate) -> bool:
    """Whether this has shown that the channel works. Raises what is about more than this delivery."""
    reason = transport.why_not(delivery)
    if reason:
        _drop(claim, delivery, reason)
        return False
    if rest := transport.rest_seconds(delivery):
        _settled(lambda: queue.give_back(claim, pause_seconds=rest))
        return False
    if gate.is_full(claim, delivery):  # first: what has to wait in any case asks for no connection
        return False
    try:
        transport.open()  # then: what finds no connection takes no place
        if not gate.has_room(claim, delivery):
            return False
        try:
            transport.send(delivery)
        except Exception:
            gate.give_back()
            raise
    except ChannelDown:
        raise
    except DeliveryError as error:
        _refused(claim, delivery, error, also=transport.to_note(delivery, error))
        if isinstance(error, Stalled):
            raise
        return isinstance(error, AddressRefused)
    except Exception as error:  # a defect of ours must not hold up the others
        logger.exception("unexpected delivery=%d channel=%s", claim.id, delivery.channel)
        _refused(claim, delivery, DeliveryError(f"{type(error).__name__}: {error}", permanent=False))
        return False
    breaker.closed(delivery.channel)
    if _settled(partial(queue.mark_sent, claim, also=transport.to_note(delivery, None))):
        logger.info("sent delivery=%d channel=%s attempt=%d", claim.id, delivery.channel, claim.attempts)
    else:
        logger.warning("sent after its lease ran out delivery=%d channel=%s", claim.id, delivery.channel)
    return True


def _refused(claim: Claim, delivery: Delivery, error: DeliveryError, also: Also = None) -> None:
    pause = None if error.permanent else pause_seconds(claim.refusals + 1)
    if pause is None:
        _fail(claim, delivery, str(error), also)
        return
    pause = max(pause, error.retry_after_seconds)
    _settled(lambda: queue.mark_retry(claim, error=str(error), pause_seconds=pause))
    logger.warning(
        "retry delivery=%d channel=%s attempt=%d pause_seconds=%.0f error=%r",
        claim.id, delivery.channel, claim.attempts, pause, str(error),
    )  # fmt: skip


def _fail(claim: Claim, delivery: Delivery, error: str, also: Also = None) -> None:
    _settled(partial(queue.mark_failed, claim, error=error, also=also))
    logger.warning(
        "failed delivery=%d channel=%s attempt=%d error=%r", claim.id, delivery.channel, claim.attempts, error
    )


def _drop(claim: Claim, delivery: Delivery, reason: str) -> None:
    _settled(lambda: queue.mark_dropped(claim, reason=reason))
    logger.info("dropped delivery=%d channel=%s reason=%r", claim.id, delivery.channel, reason)


def _rest(channel: Channel, claims: Sequence[Claim], error: str) -> None:
    seconds = breaker.opened(channel)
    _give_back(claims, error=error, pause_seconds=seconds)
    logger.error("channel down channel=%s rest_seconds=%.0f error=%r", channel, seconds, error)


def _give_back(claims: Sequence[Claim], *, error: str = "", pause_seconds: float = 0) -> None:
    for claim in claims:
        _settled(partial(queue.give_back, claim, error=error, pause_seconds=pause_seconds))


def _settled(settle: Callable[[], bool]) -> bool:
    """A second try on a new connection: what was sent should not be sent again for a cut connection."""
    try:
        return settle()
    except (OperationalError, InterfaceError):
        connection.close()
        return settle()
