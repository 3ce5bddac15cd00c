"""Channels that pause: because an admin says so, or by themselves when somebody has to mend something first.

What is to be sent waits meanwhile. A channel that has paused by itself is tried again with one delivery now and then,
so that an outage of the login server at night does not last until somebody comes to work.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone, translation

from notifications import wording
from notifications.sources.ingest import line
from notifications.sources.ingest.models import Kind
from preferences.kinds import Channel
from preferences.models import ChannelPolicy
from preferences.rules import channels_on

logger = logging.getLogger(__name__)

TRY_SECONDS = 15 * 60.0

_TRY = """
UPDATE preferences_channelpolicy SET try_at = statement_timestamp() + make_interval(secs => %s)
 WHERE channel = %s AND paused AND try_at <= statement_timestamp() AND EXISTS (
       SELECT FROM notifications_delivery d WHERE d.channel = %s AND d.due_at <= statement_timestamp()
          AND (d.state IN ('pending', 'leased', 'retry') OR d.state = 'bundled' AND d.bundle_id IS NULL))
"""


def takes_try(channel: Channel) -> bool:
    """Whether the caller, and nobody else now, is to try a channel that has paused by itself with one delivery."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY, [TRY_SECONDS, channel.value, channel.value])
        return bool(cursor.rowcount)


def is_in_trouble(channel: Channel) -> bool:
    """Whether the channel has paused by itself and has not worked since."""
    return ChannelPolicy.objects.filter(channel=channel, broken_since__isnull=False).exists()


@transaction.atomic
def pause(channel: Channel, *, by: str) -> None:
    """An admin's pause ends by an admin's `resume` only."""
    policy = _locked(channel)
    if not policy.paused:
        policy.paused_at = timezone.now()
    policy.paused, policy.try_at, policy.pause_reason = True, None, f"Paused by {by}."
    policy.save()
    logger.warning("channel paused channel=%s by=%r", channel.value, by)


@transaction.atomic
def resume(channel: Channel, *, by: str) -> None:
    """What waits is due at once."""
    policy = _locked(channel)
    _end(policy)
    policy.save()
    logger.warning("channel resumed channel=%s by=%r", channel.value, by)


@transaction.atomic
def pause_by_itself(channel: Channel, *, reason: str) -> None:
    """Tells the admins, unless they know already and it has not worked since."""
    policy, now = _locked(channel), timezone.now()
    if not policy.paused:
        policy.paused, policy.paused_at = True, now
        policy.try_at = now + timedelta(seconds=TRY_SECONDS)
        logger.error("channel paused channel=%s by=itself reason=%r", channel.value, reason)
    if policy.try_at is not None:
        policy.pause_reason = reason
    if policy.broken_since is None:
        policy.broken_since = now
        line.put([_alert(policy, reason)])
    policy.save()


@transaction.atomic
def works_again(channel: Channel) -> None:
    """Something went out. Ends a pause of its own making, and the trouble that the admins were told of."""
    policy = _locked(channel)
    if policy.broken_since is None:
        return
    line.put([_resolution(policy)])
    policy.broken_since = None
    if policy.try_at is not None:
        _end(policy)
    policy.save()
    logger.warning("channel works again channel=%s", channel.value)


def _locked(channel: Channel) -> ChannelPolicy:
    policy, _ = ChannelPolicy.objects.select_for_update().get_or_create(
        channel=channel, defaults={"enabled": channel in channels_on({})}
    )
    return policy


def _end(policy: ChannelPolicy) -> None:
    policy.paused, policy.paused_at, policy.try_at, policy.pause_reason = False, None, None, ""


def _alert(policy: ChannelPolicy, reason: str) -> line.New:
    """Without a user name: for all administrators. It does not go out through the channel that it is about."""
    pause = {"channel": policy.channel, "why": reason.rstrip("."), "minutes": round(TRY_SECONDS / 60)}
    with translation.override(settings.LANGUAGE_CODE):
        words = wording.pause_words(pause)
    details = {**words, "severity": "error", "not_through": policy.channel, "pause": pause}
    payload = {**_key_of(policy), "job_name": "", "virtual_cluster": "", "details": details}
    return line.New(f"alert:{_name(policy)}", Kind.ALERT, "", payload)


def _resolution(policy: ChannelPolicy) -> line.New:
    payload = {**_key_of(policy), "resolved_at": timezone.now().isoformat()}
    return line.New(f"resolved:{_name(policy)}", Kind.RESOLVED, "", payload)


def _key_of(policy: ChannelPolicy) -> dict[str, str]:
    assert policy.broken_since is not None
    return {"fingerprint": f"channel-{policy.channel}", "starts_at": policy.broken_since.isoformat()}


def _name(policy: ChannelPolicy) -> str:
    return "{fingerprint}:{starts_at}".format(**_key_of(policy))
