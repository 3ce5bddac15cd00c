"""What people and admins have chosen. An absent row means the defaults."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from datetime import time
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preferences.chat_services import SERVICES, SHORT_LIST
from preferences.kinds import JOB_EVENTS, PERSONAL_CHANNELS, TARGET_CHANNELS, Channel, Event
from preferences.timing import DAILY_MINUTES, MORNING

MAX_WAITING_MINUTES = 30 * 24 * 60
MAX_TARGET_NAME_CHARACTERS = 60
BUNDLING = [
    (0, _("A mail for each")),
    (1, _("Those of a minute together")),
    (5, _("Those of 5 minutes together")),
    (15, _("Those of 15 minutes together")),
    (60, _("Those of an hour together")),
    (DAILY_MINUTES, _("One mail a day")),
]
WAITING_VALIDATORS = [MinValueValidator(1), MaxValueValidator(MAX_WAITING_MINUTES)]


def all_events() -> list[str]:
    return list(Event.values)


def initial_default_events() -> list[str]:
    return [Event.FAILED.value, Event.WAITING_TOO_LONG.value]


def initial_chat_services() -> list[str]:
    return list(SHORT_LIST)


def choices_of(kinds: Iterable[Event | Channel]) -> list[tuple[str, Any]]:
    """The labels are in the language that is active where they are shown."""
    return [(kind.value, kind.label) for kind in kinds]


TARGET_CHOICES = choices_of(TARGET_CHANNELS)


def validate_time_zone(name: str) -> None:
    if name and name not in zoneinfo.available_timezones():
        raise ValidationError(
            gettext("%(name)s is no time zone; write it like Europe/Berlin.") % {"name": repr(name)}
        )


def quiet_hours_problem(start: time | None, end: time | None) -> str:
    """'' for a pair of times that can be quiet hours, and for none at all."""
    if (start is None) != (end is None):
        return gettext("Give both times, or none.")
    return gettext("The two times must differ.") if start is not None and start == end else ""


def event_list(events: Iterable[Event] = JOB_EVENTS, **options: Any) -> ArrayField[Any, Any]:
    return ArrayField(models.CharField(max_length=32, choices=choices_of(events)), **options)


class UserPreference(models.Model):
    """A user's own choices that are not about one channel."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="preference"
    )
    default_events = event_list(
        null=True, blank=True, help_text="For jobs that say nothing; empty: as the site has it."
    )
    waiting_minutes = models.PositiveIntegerField(
        null=True, blank=True, validators=WAITING_VALIDATORS, help_text="Empty: as the site has it."
    )
    time_zone = models.CharField(max_length=64, blank=True, default="", validators=[validate_time_zone])
    language = models.CharField(
        max_length=16,
        blank=True,
        default="",
        choices=settings.LANGUAGES,
        help_text="Empty: as the site has it.",
    )
    address_is_own = models.BooleanField(
        default=False, help_text="The e-mail address was set here; the cluster's no longer counts."
    )
    bundling_minutes = models.PositiveSmallIntegerField("mails", choices=BUNDLING, default=1)
    daily_hour = models.PositiveSmallIntegerField(
        default=MORNING, validators=[MaxValueValidator(23)], help_text="When the one mail a day goes out."
    )
    quiet_from = models.TimeField(null=True, blank=True, help_text="Mails wait from then …")
    quiet_until = models.TimeField(null=True, blank=True, help_text="… until then; may pass midnight.")
    failures_pass_quiet = models.BooleanField("failures go out in quiet hours", default=False)

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"

    def clean(self) -> None:
        if problem := quiet_hours_problem(self.quiet_from, self.quiet_until):
            raise ValidationError({"quiet_until": problem})


class ChannelPreference(models.Model):
    """One row of a user's matrix of events × channels. Without a row, a channel is on for all events."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="channel_preferences")
    channel = models.CharField(max_length=32, choices=choices_of(PERSONAL_CHANNELS))
    enabled = models.BooleanField(default=True)
    events = event_list(Event, default=all_events, blank=True)
    is_own = models.BooleanField(
        "own", default=False, help_text="The switch was set here; the cluster's no longer counts."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "channel"], name="one_preference_per_channel")]

    def __str__(self) -> str:
        return f"{self.channel} of {self.user_id}"


class AddressRecord(models.Model):
    """How mail to a user's address fares. It is about that address only: with another one it means nothing."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="address_record"
    )
    address = models.CharField(max_length=254)
    refusals = models.PositiveSmallIntegerField(db_default=0, help_text="For good, and in a row.")
    last_error = models.TextField(db_default="")
    refused_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.address


class Target(models.Model):
    """A place of a user in one of TARGET_CHANNELS. `secret` is encrypted and never shown; `hint` may be.

    A browser has the `digest` of its endpoint, by which it is found again: it belongs to who has added it last.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="targets", db_index=False)
    channel = models.CharField(max_length=32, choices=TARGET_CHOICES)
    name = models.CharField(max_length=MAX_TARGET_NAME_CHARACTERS)
    service = models.CharField(max_length=60)
    hint = models.CharField(max_length=255, blank=True, default="", help_text="The host, where one is named.")
    secret = models.TextField(editable=False)
    digest = models.CharField(max_length=64, default="", db_default="", editable=False)
    created_at = models.DateTimeField(db_default=Now())
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="", help_text="Empty: the last one arrived.")
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="Nothing has arrived since then, for reasons that may pass."
    )
    resting_until = models.DateTimeField(null=True, blank=True, help_text="Left alone until then.")
    disabled_at = models.DateTimeField(
        null=True, blank=True, help_text="Nothing is sent any more until a test arrives."
    )
    tested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="one_target_per_name"),
            models.UniqueConstraint(
                fields=["digest"], name="one_target_per_browser", condition=~models.Q(digest="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.service})"


MUTED_NOW = models.Q(muted=True) & (models.Q(muted_until=None) | models.Q(muted_until__gt=Now()))
"""Of a JobConfig: a mute that has run out counts nowhere."""


class JobConfig(models.Model):
    """What was set for one job after its submission; a job of the same name submitted again has none."""

    framework_name = models.CharField(max_length=64)
    submission_time = models.DateTimeField()
    events = models.JSONField(default=dict, blank=True, help_text='{"failed": true, "running": false, …}')
    waiting_minutes = models.PositiveIntegerField(null=True, blank=True, validators=WAITING_VALIDATORS)
    muted = models.BooleanField(default=False)
    muted_until = models.DateTimeField(
        null=True, blank=True, help_text="The mute ends then; empty: never. Without the mute it says nothing."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["framework_name", "submission_time"], name="one_config_per_job")
        ]

    def __str__(self) -> str:
        return self.framework_name

    def clean(self) -> None:
        if not isinstance(self.events, dict):
            raise ValidationError({"events": "Must be an object of event: true or false."})
        for event, on in self.events.items():
            if event not in JOB_EVENTS:
                raise ValidationError({"events": f"There is no event {event!r}."})
            if not isinstance(on, bool):
                raise ValidationError({"events": f"`{event}` must be true or false."})


class ChannelPolicy(models.Model):
    """The admin's master switch of one channel, and whether it pauses. Without a row, a channel is on, but
    for TARGET_CHANNELS.

    Off drops what is to be sent, a pause keeps it waiting. With `try_at` the channel has paused by itself, and is
    tried again then; `broken_since` stays until something has been sent.
    """

    channel = models.CharField(max_length=32, choices=Channel.choices, primary_key=True)
    enabled = models.BooleanField(default=True, help_text="Off: what is to be sent is dropped.")
    paused = models.BooleanField(default=False, editable=False)
    paused_at = models.DateTimeField(null=True, editable=False)
    pause_reason = models.TextField(default="", editable=False)
    try_at = models.DateTimeField(null=True, editable=False)
    broken_since = models.DateTimeField(null=True, editable=False)
    per_user_an_hour = models.PositiveIntegerField(
        "to one user in an hour",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="What is more waits for the hour's end and goes out together. Empty: no ceiling.",
    )
    in_all_an_hour = models.PositiveIntegerField(
        "in all in an hour",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="The same for all users taken together. Empty: no ceiling.",
    )

    class Meta:
        verbose_name_plural = "channel policies"

    def __str__(self) -> str:
        return self.get_channel_display()


class SiteSettings(models.Model):
    """One row: the site's defaults."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    default_events = event_list(default=initial_default_events, blank=True)
    waiting_minutes = models.PositiveIntegerField(default=60, validators=WAITING_VALIDATORS)
    language = models.CharField(
        max_length=16,
        default=settings.LANGUAGE_CODE,
        choices=settings.LANGUAGES,
        help_text="Of mails and chat messages, for users who have chosen none.",
    )
    ownerless_alerts_to_admins = models.BooleanField(
        default=False, help_text="Tell all active staff users of alerts that name no user."
    )
    application_tokens = models.BooleanField(
        "accept application tokens",
        default=True,
        help_text="Long-lived tokens that users of the cluster make for programs. Off: they open nothing here.",
    )

    chat_services = ArrayField(
        models.CharField(
            max_length=32, choices=[(name, service.label) for name, service in SERVICES.items()]
        ),
        default=initial_chat_services,
        blank=True,
        help_text="What users may add, once the policy of the channel Chat allows it.",
    )

    class Meta:
        verbose_name_plural = "site settings"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_row_of_site_settings")]

    def __str__(self) -> str:
        return "Site settings"
