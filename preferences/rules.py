"""Who gets what: pure decisions over plain values. No database, no Django settings, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext_noop as _

from preferences.kinds import ALL_EVENTS, JOB_EVENTS, PERSONAL_CHANNELS, TARGET_CHANNELS, Channel, Event


class Source(StrEnum):
    """Where the answer "is this event wanted?" comes from, strongest first."""

    OVERRIDE = "override"
    JOB_FILE = "job_file"
    OWNER = "owner"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class JobFile:
    """What a job's own file says. `block` is None without a notification block in its YAML.

    `columns` are the events whose notificationAt* column is true: the cluster writes false there both for
    "no" and for "not said", so only true carries meaning. `ignored` are events that the block names with an
    unusable value: it says neither yes nor no to them.
    """

    block: Mapping[Event, bool] | None = None
    columns: frozenset[Event] = frozenset()
    waiting_minutes: int | None = None
    ignored: frozenset[Event] = frozenset()

    @property
    def says_something(self) -> bool:
        return self.block is not None or bool(self.columns)


@dataclass(frozen=True, slots=True)
class JobOverride:
    """What was set for one job after its submission. `muted` as of now; without `muted_until` it is so for good."""

    events: Mapping[Event, bool] = field(default_factory=dict)
    waiting_minutes: int | None = None
    muted: bool = False
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OwnerWishes:
    """A user's profile. None means "as the site has it". A channel that is absent is off for all events.

    `targets`: the ids of those that work, by channel; only TARGET_CHANNELS have any.
    """

    channels: Mapping[Channel, frozenset[Event]]
    default_events: frozenset[Event] | None = None
    waiting_minutes: int | None = None
    has_address: bool = False
    targets: Mapping[Channel, tuple[int, ...]] = field(default_factory=dict)


NEVER_SEEN = OwnerWishes(channels=dict.fromkeys(PERSONAL_CHANNELS, ALL_EVENTS))
"""The profile of a user who has no record yet."""


@dataclass(frozen=True, slots=True)
class SiteWishes:
    """What the admin decided, and what can work at all."""

    default_events: frozenset[Event]
    waiting_minutes: int
    channels_on: frozenset[Channel]
    mail_configured: bool = False
    alertmanager_configured: bool = False
    push_configured: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """`channels` is empty when the event is not wanted or every channel is off for it."""

    wanted: bool
    source: Source
    channels: frozenset[Channel] = field(default_factory=frozenset)
    muted: bool = False


NO_OVERRIDE = JobOverride()
NO_FILE = JobFile()


def wanted(
    event: Event, *, override: JobOverride, file: JobFile, owner: OwnerWishes, site: SiteWishes
) -> tuple[bool, Source]:
    """Whether the event is asked for, and who asked: override > job's file > owner > site.

    A file that has a block says "no" to the cluster's five events that it does not name. It says nothing
    about `waiting_too_long`, which older files cannot know, unless it names it. An alert is always wanted.
    """
    if event not in JOB_EVENTS:
        return True, Source.OWNER
    if event in override.events:
        return override.events[event], Source.OVERRIDE
    if event in file.columns:
        return True, Source.JOB_FILE
    if file.block is not None and event in file.block:
        return file.block[event], Source.JOB_FILE
    if file.says_something and event is not Event.WAITING_TOO_LONG and event not in file.ignored:
        return False, Source.JOB_FILE
    if owner.default_events is not None:
        return event in owner.default_events, Source.OWNER
    return event in site.default_events, Source.SITE


def channels_on(policies: Mapping[str, bool]) -> frozenset[Channel]:
    """What the admin lets people use; `policies` are the switches that have been set, by name of the channel."""
    return frozenset(
        channel for channel in Channel if policies.get(channel.value, channel not in TARGET_CHANNELS)
    )


def why_not(channel: Channel, *, owner: OwnerWishes, site: SiteWishes) -> str:
    """Why a channel cannot be offered to this user, in English; '' when it can."""
    if channel not in site.channels_on:
        return _("The administrator has switched this channel off.")
    if channel is Channel.EMAIL and not site.mail_configured:
        return _("No mail server is configured.")
    if channel is Channel.EMAIL and not owner.has_address:
        return _("There is no e-mail address for you yet.")
    if channel is Channel.WEBPUSH and not site.push_configured:
        return _("The administrator has set no keys for it.")
    if channel is Channel.WEBPUSH and not owner.targets.get(channel):
        return _("You have added no browser yet.")
    if channel in TARGET_CHANNELS and not owner.targets.get(channel):
        return _("You have added nothing for it yet.")
    return ""


def open_channels(event: Event, *, owner: OwnerWishes, site: SiteWishes) -> frozenset[Channel]:
    """The channels through which this user hears of such an event, whatever the job."""
    return frozenset(
        channel
        for channel, events in owner.channels.items()
        if event in events and not why_not(channel, owner=owner, site=site)
    )


def cluster_channels(event: Event, *, site: SiteWishes) -> frozenset[Channel]:
    """The channels that tell the whole cluster of such an event; an alert is not sent back to where it came from."""
    if event in JOB_EVENTS and site.alertmanager_configured:
        return site.channels_on - frozenset(PERSONAL_CHANNELS)
    return frozenset()


def decide(
    event: Event,
    *,
    override: JobOverride,
    file: JobFile,
    owner: OwnerWishes,
    site: SiteWishes,
    channels: Callable[[Event], frozenset[Channel]] | None = None,
) -> Decision:
    """The whole decision for one event of one job: is it wanted, and through which channels.

    `channels` may stand in for `open_channels` of the owner, for callers that decide many events at once.
    """
    asked, source = wanted(event, override=override, file=file, owner=owner, site=site)
    if not asked:
        return Decision(False, source)
    if override.muted:
        return Decision(True, source, muted=True)
    opened = channels(event) if channels else open_channels(event, owner=owner, site=site)
    return Decision(True, source, opened | cluster_channels(event, site=site))


def waiting_limit_minutes(
    *, override: JobOverride, file: JobFile, owner: OwnerWishes, site: SiteWishes
) -> int | None:
    """Minutes after which a waiting job waits too long, or None when nobody wants to hear of it."""
    asked, _ = wanted(Event.WAITING_TOO_LONG, override=override, file=file, owner=owner, site=site)
    if not asked:
        return None
    for minutes in (override.waiting_minutes, file.waiting_minutes, owner.waiting_minutes):
        if minutes is not None:
            return minutes
    return site.waiting_minutes
