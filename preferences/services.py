"""Writes. What was given has been validated by a form or a serializer; what is left out stays as it is."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from preferences import signals
from preferences.kinds import ALL_EVENTS, Channel, Event
from preferences.models import ChannelPreference, JobConfig, UserPreference
from preferences.rules import NO_OVERRIDE, JobOverride
from preferences.selectors import Job, JobWishes, job_wishes, known_events
from preferences.timing import QuietHours
from preferences.wishes import JobKey, site_wishes

logger = logging.getLogger(__name__)


class Unset(Enum):
    """Left out, where None has a meaning of its own."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """What is to change of one channel; events that are not named stay as they are."""

    enabled: bool | None = None
    events: Mapping[Event, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mute:
    """Until a time; None: for good."""

    until: datetime | None = None


@transaction.atomic
def save_preferences(
    *,
    user: User,
    email_address: str | Unset = UNSET,
    default_events: Mapping[Event, bool] | Unset | None = UNSET,
    waiting_minutes: int | Unset | None = UNSET,
    time_zone: str | Unset = UNSET,
    bundling_minutes: int | Unset = UNSET,
    daily_hour: int | Unset = UNSET,
    quiet_hours: QuietHours | Unset | None = UNSET,
    failures_pass_quiet: bool | Unset = UNSET,
    language: str | Unset = UNSET,
    channels: Mapping[Channel, ChannelChange] | None = None,
) -> None:
    """Change a user's profile. None for `default_events` or `waiting_minutes`: as the site has it.

    What already waits goes out as was planned, but in no quiet hours, and without the events that are off.
    """
    hold_users([user.username])
    own, _ = UserPreference.objects.select_for_update().get_or_create(user=user)
    before = (own.default_events, own.waiting_minutes)
    if email_address is not UNSET and email_address != user.email:
        user.email = email_address
        user.save(update_fields=["email"])
        own.address_is_own = True
    if default_events is None:
        own.default_events = None
    elif default_events is not UNSET and default_events:
        base = (
            site_wishes().default_events if own.default_events is None else known_events(own.default_events)
        )
        own.default_events = _switched(base, default_events)
    if waiting_minutes is not UNSET:
        own.waiting_minutes = waiting_minutes
    if time_zone is not UNSET:
        own.time_zone = time_zone
    if bundling_minutes is not UNSET:
        own.bundling_minutes = bundling_minutes
    if daily_hour is not UNSET:
        own.daily_hour = daily_hour
    if quiet_hours is not UNSET:
        own.quiet_from = quiet_hours.start if quiet_hours else None
        own.quiet_until = quiet_hours.end if quiet_hours else None
    if failures_pass_quiet is not UNSET:
        own.failures_pass_quiet = failures_pass_quiet
    if language is not UNSET:
        own.language = language
    own.save()
    for channel, change in (channels or {}).items():
        save_channel(user=user, channel=channel, change=change)
    if before != (own.default_events, own.waiting_minutes):
        signals.announce_owners([user.pk])
    logger.info("preferences saved user=%s", user.pk)


@transaction.atomic
def save_channel(*, user: User, channel: Channel, change: ChannelChange) -> None:
    """Change one row of a user's matrix. A switch that is changed here is the user's own from then on."""
    hold_users([user.username])
    row, _ = ChannelPreference.objects.select_for_update().get_or_create(user=user, channel=channel)
    if change.enabled is not None and change.enabled != row.enabled:
        row.enabled = change.enabled
        row.is_own = True
    row.events = _switched(known_events(row.events), change.events)
    row.save()


def hold_users(usernames: Collection[str]) -> None:
    """Until the transaction ends, nobody else changes the preferences of these users."""
    list(User.objects.select_for_update(no_key=True).filter(username__in=usernames).order_by("pk").only("pk"))


def keep_addresses(users: Collection[User]) -> None:
    """The addresses that these users have now are their own: no other source changes them."""
    UserPreference.objects.bulk_create(
        [UserPreference(user=user, address_is_own=True) for user in users],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["address_is_own"],
    )


def follow_switches(switches: Mapping[User, Mapping[Channel, bool]]) -> None:
    """Set master switches to what another source says. The caller has left out those that are the user's own."""
    ChannelPreference.objects.bulk_create(
        [
            ChannelPreference(user=user, channel=channel, enabled=on)
            for user, channels in switches.items()
            for channel, on in channels.items()
        ],
        update_conflicts=True,
        unique_fields=["user", "channel"],
        update_fields=["enabled"],
    )


@transaction.atomic
def set_job_override(
    *,
    job: Job,
    events: Mapping[Event, bool | None] | None = None,
    waiting_minutes: int | Unset | None = UNSET,
    mute: Mute | Unset | None = UNSET,
) -> JobWishes:
    """Change what was set for one job. None: nothing is set any more. Returns what holds then."""
    config, _ = JobConfig.objects.select_for_update().get_or_create(
        framework_name=job.framework_name, submission_time=job.submission_time
    )
    before = job_wishes(job=job)
    merged = {**before.override.events, **(events or {})}
    override = JobOverride(
        events={event: on for event, on in merged.items() if on is not None},
        waiting_minutes=before.override.waiting_minutes if waiting_minutes is UNSET else waiting_minutes,
        muted=before.override.muted if mute is UNSET else mute is not None,
        muted_until=before.override.muted_until if mute is UNSET else mute.until if mute else None,
    )
    if override == NO_OVERRIDE:
        config.delete()
    else:
        config.events = {event.value: on for event, on in override.events.items()}
        config.waiting_minutes = override.waiting_minutes
        config.muted, config.muted_until = override.muted, override.muted_until
        config.save()
    return _announce(job, before, override)


@transaction.atomic
def drop_job_override(*, job: Job) -> JobWishes:
    """Forget all that was set for one job. Returns what holds then."""
    before = job_wishes(job=job)
    JobConfig.objects.filter(framework_name=job.framework_name, submission_time=job.submission_time).delete()
    return _announce(job, before, NO_OVERRIDE)


@transaction.atomic
def change_mutes(
    *, wanted: Mapping[JobKey, Mute | None], expected: Mute | Unset | None = UNSET
) -> dict[JobKey, Mute | None]:
    """Mute these jobs, or end it (None), all at once; returns what held before of those that this has changed.

    With `expected`, a job about which something else holds by now is left alone.
    """
    keys = sorted(wanted)
    JobConfig.objects.bulk_create(
        [JobConfig(framework_name=name, submission_time=submitted) for name, submitted in keys],
        ignore_conflicts=True,  # so that there is a row to lock for each
    )
    own = JobConfig.objects.filter(framework_name__in=[name for name, _ in keys])
    now = timezone.now()
    before, changed = {}, []
    for row in own.select_for_update().order_by("framework_name", "submission_time"):
        key = (row.framework_name, row.submission_time)
        holds = row.muted and (row.muted_until is None or row.muted_until > now)
        present = Mute(row.muted_until) if holds else None
        if key not in wanted or present == wanted[key] or (expected is not UNSET and present != expected):
            continue
        before[key], mute = present, wanted[key]
        row.muted, row.muted_until = mute is not None, mute.until if mute else None
        row.updated_at = now
        changed.append(row)
    JobConfig.objects.bulk_update(changed, ["muted", "muted_until", "updated_at"])
    own.filter(events={}, waiting_minutes=None, muted=False, muted_until=None).delete()
    if before:
        signals.announce_mutes()
        logger.info("mutes changed jobs=%d", len(before))
    return before


def _announce(job: Job, before: JobWishes, override: JobOverride) -> JobWishes:
    after = replace(before, override=override)
    if after != before:
        switched_on = after.wanted_events - before.wanted_events
        signals.announce_job(job.framework_name, job.submission_time, switched_on)
        logger.info("job override saved framework=%r", job.framework_name)
    return after


def _switched(base: Iterable[Event], changes: Mapping[Event, bool]) -> list[str]:
    """The stored form of a set of events after these changes, in the order of display."""
    on = frozenset(base) & ALL_EVENTS
    return [event.value for event in Event if changes.get(event, event in on)]
