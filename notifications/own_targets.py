"""A user's own targets: add one, try one."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext

from notifications.delivery.base import DeliveryError
from notifications.delivery.registry import TRANSPORTS
from notifications.delivery.targets import Message, TargetTransport
from notifications.models import Notification
from preferences import targets
from preferences.kinds import Channel, Event
from preferences.models import Target
from preferences.targets import TargetRefused
from preferences.wishes import site_wishes

TEST_JOB = "a-job-of-yours"


class TooSoonError(Exception):
    """A test of this target was sent a moment ago."""


def add(*, user: User, channel: Channel, name: str, address: str) -> tuple[Target, str]:
    """The target, and what its user may see this once ('' for nothing). Raises TargetRefused; nothing is sent."""
    if channel not in site_wishes().channels_on:
        raise TargetRefused(gettext("The administrator has switched this channel off."))
    draft = _transport(channel).draft(address.strip())
    target = targets.add(
        user=user,
        channel=channel,
        name=name,
        service=draft.service,
        hint=draft.hint,
        secret=draft.secret,
    )
    return target, draft.shown_once


def send_test(target: Target) -> str:
    """Send a made-up notification now; returns what went wrong, '' for nothing. Raises TooSoonError.

    Takes up to some ten seconds. When it arrives, a target that was switched off is on again.
    """
    channel = Channel(target.channel)
    if channel not in site_wishes().channels_on:
        return gettext("The administrator has switched this channel off.")
    if not targets.start_test(target):
        raise TooSoonError
    now = timezone.now()
    notification = Notification(
        pk=0,
        user=target.user,
        event=Event.SUCCEEDED,
        framework_name=TEST_JOB,
        submission_time=now,
        job_name=TEST_JOB,
        occurred_at=now,
        created_at=now,
    )
    with _transport(channel)() as transport:
        try:
            transport.send_to(target, Message(f"test_{secrets.token_hex(8)}", notification, is_test=True))
        except DeliveryError as error:
            return str(error)
    return ""


def _transport(channel: Channel) -> type[TargetTransport]:
    transport = TRANSPORTS[channel]
    assert issubclass(transport, TargetTransport)
    return transport
