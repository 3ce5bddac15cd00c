"""The form of the profile page."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from preferences.kinds import JOB_EVENTS, Channel, Event
from preferences.models import BUNDLING, MAX_WAITING_MINUTES, choices_of, quiet_hours_problem
from preferences.rules import Source
from preferences.selectors import ChannelChoice, Profile
from preferences.services import ChannelChange
from preferences.timing import QuietHours


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its heading, and what is said below it ('' for nothing)."""

    title: Any
    text: Any = ""


SECTIONS = {
    "channels": Section(
        _("How to tell me"), _("The top switch of a column is the master switch of its channel.")
    ),
    "events": Section(
        _("Which events"),
        _("A job's own file and the switches on its page go first. This holds for jobs that say nothing."),
    ),
    "times": Section(_("Times and language")),
}


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """A channel of the matrix: its master switch, and whether it can be used."""

    choice: ChannelChoice
    enabled: forms.BoundField


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """An event of the matrix with one switch a channel."""

    event: Event
    switches: tuple[forms.BoundField, ...]


def _clock() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class ProfileForm(forms.Form):
    """All of a user's choices. A channel that is not available keeps its choices, whatever is sent."""

    sections = SECTIONS
    email_address = forms.EmailField(label=_("E-mail address"), required=False, max_length=254)
    default_events = forms.MultipleChoiceField(
        label=_("Tell me when such a job"),
        choices=choices_of(JOB_EVENTS),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    waiting_minutes = forms.IntegerField(
        label=_("A job waits too long after"),
        required=False,
        min_value=1,
        max_value=MAX_WAITING_MINUTES,
    )

    bundling_minutes = forms.TypedChoiceField(label=_("Mails"), choices=BUNDLING, coerce=int)
    daily_hour = forms.TypedChoiceField(
        label=_("One mail a day at"), choices=[(hour, f"{hour:02}:00") for hour in range(24)], coerce=int
    )
    quiet_from = forms.TimeField(label=_("Quiet hours from"), required=False, widget=_clock())
    quiet_until = forms.TimeField(
        label=_("Quiet hours until"),
        help_text=_("Give both times, or none."),
        required=False,
        widget=_clock(),
    )
    failures_pass_quiet = forms.BooleanField(label=_("Failures are told in quiet hours too"), required=False)

    def __init__(self, data: Any = None, *, profile: Profile) -> None:
        super().__init__(data, initial=_profile_initial(profile))
        self.profile = profile
        self.choices = [choice for choice in profile.channels if choice.offered]
        between = pgettext("between the items of a list", ", ")
        site = between.join(_labels(profile.site.default_events)) or gettext("nothing")
        self.fields["default_source"] = forms.ChoiceField(
            label=_("For jobs that say nothing"),
            choices=[
                (Source.SITE.value, gettext("As the site has it: %(choice)s") % {"choice": site}),
                (Source.OWNER.value, gettext("My own choice")),
            ],
            widget=forms.RadioSelect,
        )
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"), required=False, choices=_time_zones(profile.time_zone)
        )
        languages = dict(settings.LANGUAGES)
        as_the_site = languages.get(profile.site_language, profile.site_language)
        self.fields["language"] = forms.ChoiceField(
            label=_("Language"),
            help_text=_("Of pages, mails and chat messages."),
            required=False,
            choices=[
                ("", gettext("As the site has it: %(choice)s") % {"choice": as_the_site}),
                *settings.LANGUAGES,
            ],
        )
        self.fields["waiting_minutes"].help_text = gettext(
            "Minutes; left empty: as the site has it (%(minutes)d)."
        ) % {"minutes": profile.site.waiting_minutes}
        for choice in self.choices:
            disabled = not choice.available
            self.fields[choice.channel.value] = forms.BooleanField(
                label=choice.channel.label, required=False, disabled=disabled
            )
            for event in Event:
                self.fields[_switch(choice.channel, event)] = forms.BooleanField(
                    label=f"{event.label}: {choice.channel.label}", required=False, disabled=disabled
                )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not {"quiet_from", "quiet_until"} & self.errors.keys() and (
            problem := quiet_hours_problem(data["quiet_from"], data["quiet_until"])
        ):
            self.add_error("quiet_until", problem)
        return data

    @property
    def columns(self) -> list[MatrixColumn]:
        return [MatrixColumn(choice, self[choice.channel.value]) for choice in self.choices]

    @property
    def rows(self) -> list[MatrixRow]:
        channels = [choice.channel for choice in self.choices]
        return [
            MatrixRow(event, tuple(self[_switch(channel, event)] for channel in channels)) for event in Event
        ]

    def words(self) -> dict[str, Any]:
        """What the page says, for those who draw it themselves: its sections, and each field's label, help and choices.

        Names of time zones are everybody's own.
        """
        return {
            "sections": {name: {"title": one.title, "text": one.text} for name, one in SECTIONS.items()},
            "fields": {
                name: {
                    "label": field.label,
                    "help": field.help_text,
                    "choices": [
                        {"value": str(value), "label": label}
                        for value, label in getattr(field, "choices", ())
                        if name != "time_zone"
                    ],
                }
                for name, field in self.fields.items()
            },
        }

    def changes(self) -> dict[str, Any]:
        """The arguments of `services.save_preferences`, after validation."""
        data = self.cleaned_data
        chosen = data["default_events"]
        ticked_only = "default_events" in self.changed_data and "default_source" not in self.changed_data
        own = data["default_source"] == Source.OWNER or ticked_only
        return {
            "email_address": data["email_address"],
            "default_events": {event: event.value in chosen for event in JOB_EVENTS} if own else None,
            "waiting_minutes": data["waiting_minutes"],
            "time_zone": data["time_zone"],
            "bundling_minutes": data["bundling_minutes"],
            "daily_hour": data["daily_hour"],
            "quiet_hours": QuietHours.between(data["quiet_from"], data["quiet_until"]),
            "failures_pass_quiet": data["failures_pass_quiet"],
            "language": data["language"],
            "channels": {
                choice.channel: ChannelChange(
                    enabled=data[choice.channel.value],
                    events={event: data[_switch(choice.channel, event)] for event in Event},
                )
                for choice in self.choices
                if choice.available
            },
        }


def _time_zones(chosen: str) -> list[tuple[str, str]]:
    """The zones to choose from; one that was chosen over REST stays, even if it is an odd one."""
    names = _usual_time_zones()
    more = [chosen] if chosen and chosen not in names else []
    return [("", "UTC"), *((name, name.replace("_", " ")) for name in (*more, *names))]


@cache
def _usual_time_zones() -> tuple[str, ...]:
    names = zoneinfo.available_timezones()
    return tuple(sorted(name for name in names if "/" in name and not name.startswith("Etc/")))


def _profile_initial(profile: Profile) -> dict[str, Any]:
    quiet = profile.timing.quiet
    initial: dict[str, Any] = {
        "email_address": profile.email_address,
        "default_source": profile.default_events_source.value,
        "default_events": [event.value for event in Event if event in profile.default_events],
        "waiting_minutes": profile.waiting_minutes,
        "time_zone": profile.time_zone,
        "bundling_minutes": profile.timing.bundling_minutes,
        "daily_hour": profile.timing.daily_hour,
        "quiet_from": quiet and quiet.start,
        "quiet_until": quiet and quiet.end,
        "failures_pass_quiet": profile.failures_pass_quiet,
        "language": profile.language,
    }
    for choice in profile.channels:
        initial[choice.channel.value] = choice.enabled
        initial |= {_switch(choice.channel, event): event in choice.events for event in Event}
    return initial


def _switch(channel: Channel, event: Event) -> str:
    return f"{channel.value}-{event.value}"


def _labels(events: frozenset[Event]) -> list[str]:
    return [str(event.label) for event in Event if event in events]
