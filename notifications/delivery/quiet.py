"""Quiet hours at the moment of sending: what a refusal, an outage or a ceiling has put off may come up in them."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection

from notifications import mail_timing
from notifications.models import Delivery, DeliveryState
from preferences.kinds import Event
from preferences.timing import QuietHours, quiet_until, zone_named


def held_until(delivery: Delivery) -> datetime | None:
    """When the quiet hours of its user end; None when it may go out now. The user's preference must be loaded."""
    try:
        own = delivery.notification.user.preference
    except ObjectDoesNotExist:
        return None
    quiet = QuietHours.between(own.quiet_from, own.quiet_until)
    if quiet is None or delivery.channel not in mail_timing.CHANNELS:
        return None
    with connection.cursor() as cursor:  # the clock by which it became due
        cursor.execute("SELECT statement_timestamp()")
        now = cursor.fetchone()[0]
    until = quiet_until(now, quiet, zone_named(own.time_zone, settings.TIME_ZONE))
    return None if until and own.failures_pass_quiet and _tells_of_a_failure(delivery) else until


def _tells_of_a_failure(delivery: Delivery) -> bool:
    if delivery.notification.event == Event.FAILED:
        return True
    others = Delivery.objects.filter(bundle=delivery, state=DeliveryState.BUNDLED)
    return delivery.bundle_size > 1 and others.filter(notification__event=Event.FAILED).exists()
