"""Serializers that take JSON at its word: no unknown names, no "yes" for true."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.validators import validate_email
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from preferences.kinds import JOB_EVENTS, Event
from preferences.models import BUNDLING, MAX_WAITING_MINUTES, quiet_hours_problem, validate_time_zone

MAX_SHOWN_CHARACTERS = 40
MAX_SHOWN_NAMES = 20


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not have, each by name, and those that are read-only."""

    default_error_messages = {"invalid": _("Must be a JSON object.")}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            refused = [name for name in data if name not in self.fields or self.fields[name].read_only]
            if refused:
                raise serializers.ValidationError(
                    {_shown(name): [self._refusal(name)] for name in refused[:MAX_SHOWN_NAMES]}
                )
        return super().to_internal_value(data)

    def _refusal(self, name: str) -> str:
        if name in self.fields:
            return gettext("This field cannot be changed.")
        writable = [known for known, field in self.fields.items() if not field.read_only]
        return gettext("There is no such field. Use: %(names)s.") % {"names": ", ".join(writable)}


class StrictBooleanField(serializers.BooleanField):
    default_error_messages = {"invalid": _("Must be true or false.")}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class StrictStringField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictChoiceField(serializers.ChoiceField):
    """Its error names the choices, and not what was sent, which may be half a character that no answer can hold."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        self.error_messages["invalid_choice"] = format_lazy(
            _("Must be one of {choices}."), choices=", ".join(map(str, self.choices))
        )


class MinutesField(serializers.IntegerField):
    """A waiting limit."""

    default_error_messages = {"invalid": _("Must be a whole number of minutes, or null.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_WAITING_MINUTES, **options)

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.EMAIL)
class AddressField(StrictStringField):
    """An e-mail address, or '' for none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, allow_blank=True, validators=[validate_email_or_blank], **options)


class TimeZoneField(StrictStringField):
    """A name of the IANA time zone database, or '' for the site's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, allow_blank=True, validators=[validate_time_zone], **options)


class BundlingField(serializers.IntegerField):
    """One of the lengths in minutes that there are."""

    lengths = [minutes for minutes, _name in BUNDLING]
    default_error_messages = {
        "invalid": format_lazy(_("Must be one of {choices}."), choices=", ".join(map(str, lengths)))
    }

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or data not in self.lengths:
            self.fail("invalid")
        return super().to_internal_value(data)


class HourField(serializers.IntegerField):
    """An hour of the day."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=23, **options)


class ClockField(serializers.TimeField):
    """A local time like "22:30"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **options)


class QuietHoursSerializer(StrictSerializer):
    """From one local time to another, which may be past midnight."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": ClockField(), "until": ClockField()}

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if problem := quiet_hours_problem(data["from"], data["until"]):
            raise serializers.ValidationError({"until": problem})
        return data


class EventSwitchesSerializer(StrictSerializer):
    """true or false for each event; when writing, an event that is left out stays as it is."""

    events: Collection[Event] = tuple(Event)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {event.value: StrictBooleanField(required=False) for event in self.events}


class JobEventSwitchesSerializer(EventSwitchesSerializer):
    """The same without what does not come from a job."""

    events = JOB_EVENTS


def _shown(name: str) -> str:
    """A name that a client made up, as it may stand in an answer: bounded, and possible to encode."""
    return name[:MAX_SHOWN_CHARACTERS].encode(errors="backslashreplace").decode()


def validate_email_or_blank(value: str) -> None:
    if value:
        validate_email(value)


def switches(on: frozenset[Event], events: Collection[Event] = JOB_EVENTS) -> dict[str, bool]:
    """{event: true or false} for these events, in the order of display."""
    return {event.value: event in on for event in Event if event in events}


def chosen_events(data: Mapping[str, Any]) -> dict[Event, Any]:
    """The validated data of a serializer of events, by event."""
    return {Event(name): value for name, value in data.items()}


LONGEST_MUTE = timedelta(days=3660)
"""The last days of the calendar cannot be shown in every time zone."""


def check_mute_end(until: datetime) -> None:
    """Raises ValidationError for a time at which nothing can be muted until."""
    now = timezone.now()
    if until <= now:
        raise serializers.ValidationError(_("Must be in the future."))
    if until > now + LONGEST_MUTE:
        raise serializers.ValidationError(
            gettext("Must be in the next %(days)d days; `muted` alone is for good.")
            % {"days": LONGEST_MUTE.days}
        )
