"""Reads for one user and one job; the bulk reads of the poller are in `wishes`."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Subquery
from django.utils.translation import gettext

from preferences import addresses
from preferences.chat_services import SERVICES
from preferences.kinds import ALL_EVENTS, JOB_EVENTS, PERSONAL_CHANNELS, TARGET_CHANNELS, Channel, Event
from preferences.models import ChannelPreference, SiteSettings, UserPreference, initial_chat_services
from preferences.rules import (
    NO_OVERRIDE,
    JobFile,
    JobOverride,
    OwnerWishes,
    SiteWishes,
    Source,
    wanted,
    why_not,
)
from preferences.timing import QuietHours, Timing, zone_named
from preferences.wishes import load_wishes


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """One row of a user's matrix. `why_not` is '' when the channel is available.

    Not `offered` is what most sites never have: pages do not show it.
    """

    channel: Channel
    why_not: str
    enabled: bool
    events: frozenset[Event]
    offered: bool = True

    @property
    def available(self) -> bool:
        return not self.why_not


@dataclass(frozen=True, slots=True)
class Profile:
    """All that a user can choose. None: as the site has it, which `site` tells."""

    email_address: str
    own_default_events: frozenset[Event] | None
    waiting_minutes: int | None
    time_zone: str
    timing: Timing
    failures_pass_quiet: bool
    language: str
    channels: tuple[ChannelChoice, ...]
    site: SiteWishes
    site_language: str
    address_refused: str = ""
    """What the mail server said of an address to which nothing is sent any more."""

    @property
    def can_test_mail(self) -> bool:
        """E-mail is available, or is not because of the address alone."""
        return bool(self.address_refused) or any(
            choice.available for choice in self.channels if choice.channel is Channel.EMAIL
        )

    @property
    def default_events(self) -> frozenset[Event]:
        return self.site.default_events if self.own_default_events is None else self.own_default_events

    @property
    def default_events_source(self) -> Source:
        return Source.SITE if self.own_default_events is None else Source.OWNER


@dataclass(frozen=True, slots=True)
class EventWish:
    """Whether one event of a job is wanted, who says so, and what holds without the job's override."""

    event: Event
    wanted: bool
    source: Source
    otherwise: bool
    otherwise_source: Source

    @property
    def overridden(self) -> bool:
        return self.source is Source.OVERRIDE


@dataclass(frozen=True, slots=True)
class Job:
    """One submission of a job, as far as its notifications are concerned. `owner` is a user name."""

    framework_name: str
    submission_time: datetime
    owner: str
    file: JobFile


@dataclass(frozen=True, slots=True)
class JobWishes:
    """Everything that decides what is told of one job."""

    file: JobFile
    override: JobOverride
    owner: OwnerWishes
    site: SiteWishes

    @property
    def events(self) -> tuple[EventWish, ...]:
        without = self.without_override
        return tuple(EventWish(event, *self._wanted(event), *without._wanted(event)) for event in JOB_EVENTS)

    @property
    def wanted_events(self) -> frozenset[Event]:
        return frozenset(event for event in JOB_EVENTS if self._wanted(event)[0])

    @property
    def without_override(self) -> JobWishes:
        return replace(self, override=NO_OVERRIDE)

    @property
    def waiting(self) -> tuple[int, Source]:
        """After how many minutes the job would wait too long, and who says so."""
        levels: Mapping[Source, int | None] = {
            Source.OVERRIDE: self.override.waiting_minutes,
            Source.JOB_FILE: self.file.waiting_minutes,
            Source.OWNER: self.owner.waiting_minutes,
        }
        for source, minutes in levels.items():
            if minutes is not None:
                return minutes, source
        return self.site.waiting_minutes, Source.SITE

    def _wanted(self, event: Event) -> tuple[bool, Source]:
        return wanted(event, override=self.override, file=self.file, owner=self.owner, site=self.site)


def profile(*, user: User) -> Profile:
    wishes = load_wishes(usernames=[user.username], frameworks=[])
    own = UserPreference.objects.filter(user=user).first() or UserPreference(user=user)
    rows = {row.channel: row for row in ChannelPreference.objects.filter(user=user)}
    owner = replace(wishes.of_owner(user.username), has_address=bool(user.email))
    refused = addresses.last_refusal(user)
    return Profile(
        email_address=user.email,
        own_default_events=None if own.default_events is None else known_events(own.default_events),
        waiting_minutes=own.waiting_minutes,
        time_zone=own.time_zone,
        timing=Timing(
            zone=zone_named(own.time_zone, settings.TIME_ZONE),
            bundling_minutes=own.bundling_minutes,
            daily_hour=own.daily_hour,
            quiet=QuietHours.between(own.quiet_from, own.quiet_until),
        ),
        failures_pass_quiet=own.failures_pass_quiet,
        language=own.language,
        channels=tuple(
            ChannelChoice(
                channel=channel,
                why_not=_translated(
                    why_not(channel, owner=owner, site=wishes.site)
                    or (addresses.NOT_ARRIVING if refused and channel is Channel.EMAIL else "")
                ),
                enabled=rows[channel].enabled if channel in rows else True,
                events=known_events(rows[channel].events) if channel in rows else ALL_EVENTS,
                offered=channel not in TARGET_CHANNELS or channel in wishes.site.channels_on,
            )
            for channel in PERSONAL_CHANNELS
        ),
        site=wishes.site,
        address_refused=refused,
        site_language=site_language(),
    )


def _translated(text: str) -> str:
    return gettext(text) if text else ""  # the translation of '' is the catalogue's header


def time_zone_of(*, user: User) -> zoneinfo.ZoneInfo:
    """The zone in which this user wants to read times."""
    name = UserPreference.objects.filter(user=user).values_list("time_zone", flat=True).first()
    return zoneinfo.ZoneInfo(name or settings.TIME_ZONE)


def chat_services() -> list[str]:
    """The names of the services that the admin lets users add."""
    chosen = SiteSettings.objects.values_list("chat_services", flat=True).first()
    return initial_chat_services() if chosen is None else [name for name in chosen if name in SERVICES]


def language_of(*, user: User, site: str = "") -> str:
    """The language in which this user wants to be written to. A query less if `user.preference` is loaded, and one less
    if the site's language is given."""
    try:
        own = user.preference.language
    except UserPreference.DoesNotExist:
        own = ""
    return own or site or site_language()


def chosen_languages(*, user_id: int) -> tuple[str, str]:
    """The user's own language ('' for none), and the site's, in one query."""
    site = SiteSettings.objects.values("language")[:1]
    rows = User.objects.filter(pk=user_id).values_list("preference__language", Subquery(site))
    own, of_site = rows.first() or ("", "")
    return own or "", of_site or settings.LANGUAGE_CODE


def site_language() -> str:
    return SiteSettings.objects.values_list("language", flat=True).first() or settings.LANGUAGE_CODE


def application_tokens_accepted() -> bool:
    """Whether the admin lets the long-lived tokens of the cluster's users in."""
    return not SiteSettings.objects.filter(application_tokens=False).exists()


def job_wishes(*, job: Job) -> JobWishes:
    """The wishes for one job. An owner without a record has the defaults, and gets no record by this."""
    key = (job.framework_name, job.submission_time)
    wishes = load_wishes(usernames=[job.owner], frameworks=[key[0]])
    return JobWishes(
        file=job.file,
        override=wishes.overrides.get(key, NO_OVERRIDE),
        owner=wishes.of_owner(job.owner),
        site=wishes.site,
    )


def known_events(names: Iterable[str]) -> frozenset[Event]:
    """The events among stored names; a name that no version knows any more is passed over."""
    return frozenset(Event(name) for name in names if name in Event.values)
