"""REST: a user's own preferences."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from preferences import selectors, services
from preferences.fields import (
    AddressField,
    BundlingField,
    EventSwitchesSerializer,
    HourField,
    JobEventSwitchesSerializer,
    MinutesField,
    QuietHoursSerializer,
    StrictBooleanField,
    StrictChoiceField,
    StrictSerializer,
    TimeZoneField,
    chosen_events,
    switches,
)
from preferences.forms import ProfileForm
from preferences.kinds import ALL_EVENTS, PERSONAL_CHANNELS, Channel
from preferences.rules import Source
from preferences.timing import QuietHours, quiet_until

DEFAULT_SOURCES = [(source.value, source.value) for source in (Source.OWNER, Source.SITE)]


class ChannelSerializer(StrictSerializer):
    offered = StrictBooleanField(read_only=True, help_text="Whether it is worth showing at all here.")
    available = StrictBooleanField(read_only=True)
    why_not = serializers.CharField(read_only=True, help_text="Why it is not available; '' when it is.")
    enabled = StrictBooleanField(required=False, help_text="The channel's master switch.")
    events = EventSwitchesSerializer(required=False)


class ChannelsSerializer(StrictSerializer):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {channel.value: ChannelSerializer(required=False) for channel in PERSONAL_CHANNELS}


class PreferencesSerializer(StrictSerializer):
    email_address = AddressField(required=False)
    email_address_refused = serializers.CharField(
        read_only=True, help_text="Why nothing is sent to the address any more; '' when it arrives."
    )
    default_events = JobEventSwitchesSerializer(
        required=False,
        allow_null=True,
        help_text="For jobs that say nothing. Write null: as the site has it.",
    )
    default_events_source = serializers.ChoiceField(DEFAULT_SOURCES, read_only=True)
    channels = ChannelsSerializer(required=False)
    waiting_minutes = MinutesField(required=False, allow_null=True, help_text="null: as the site has it.")
    time_zone = TimeZoneField(required=False)
    language = StrictChoiceField(
        settings.LANGUAGES,
        allow_blank=True,
        required=False,
        help_text="Of mails and chat messages; '': as the site has it.",
    )
    bundling_minutes = BundlingField(
        required=False,
        help_text="After a mail, what follows in so long goes out as one. 0: a mail for each; 1440: one a day.",
    )
    daily_hour = HourField(required=False, help_text="When the one mail a day goes out.")
    quiet_hours = QuietHoursSerializer(
        required=False, allow_null=True, help_text="Mails wait until they end. null: none."
    )
    quiet_until = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="When the quiet hours end that hold now; null when none do.",
    )
    failures_pass_quiet = StrictBooleanField(
        required=False, help_text="Failures are told in quiet hours too."
    )
    site_default_events = JobEventSwitchesSerializer(read_only=True)
    site_waiting_minutes = serializers.IntegerField(read_only=True)
    site_language = serializers.ChoiceField(settings.LANGUAGES, read_only=True)


class SectionWordsSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    text = serializers.CharField(help_text="What is said below the title; '' for nothing.")


class ChoiceWordsSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # not the one that all fields have


class FieldWordsSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    choices = ChoiceWordsSerializer(many=True)


class WordsSerializer(serializers.Serializer[Any]):
    sections = serializers.DictField(child=SectionWordsSerializer())
    fields = serializers.DictField(child=FieldWordsSerializer())  # type: ignore[assignment]


class WordsView(APIView):
    """What the profile page says, in the reader's language, for a page that shows the same choices."""

    @extend_schema(operation_id="preferences_words", responses=WordsSerializer)
    def get(self, request: Request) -> Response:
        return Response(ProfileForm(profile=selectors.profile(user=_user(request))).words())


class PreferencesView(APIView):
    """What the signed-in user wants to hear of, and how."""

    @extend_schema(operation_id="preferences_read", responses=PreferencesSerializer)
    def get(self, request: Request) -> Response:
        return Response(_representation(selectors.profile(user=_user(request))))

    @extend_schema(
        operation_id="preferences_change", request=PreferencesSerializer, responses=PreferencesSerializer
    )
    def patch(self, request: Request) -> Response:
        """What is left out stays as it is, on every level."""
        given = PreferencesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        services.save_preferences(user=_user(request), **_changes(given.validated_data))
        return Response(_representation(selectors.profile(user=_user(request))))


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # REST asks for authentication by default
    return request.user


def _changes(data: dict[str, Any]) -> dict[str, Any]:
    """Validated data as the arguments of `services.save_preferences`."""
    plain = (
        "email_address",
        "waiting_minutes",
        "time_zone",
        "language",
        "bundling_minutes",
        "daily_hour",
        "failures_pass_quiet",
    )
    changes: dict[str, Any] = {name: data[name] for name in plain if name in data}
    if "quiet_hours" in data:
        quiet = data["quiet_hours"]
        changes["quiet_hours"] = quiet and QuietHours(quiet["from"], quiet["until"])
    if "default_events" in data:
        chosen = data["default_events"]
        changes["default_events"] = None if chosen is None else chosen_events(chosen)
    if "channels" in data:
        changes["channels"] = {
            Channel(name): services.ChannelChange(
                enabled=change.get("enabled"), events=chosen_events(change.get("events", {}))
            )
            for name, change in data["channels"].items()
        }
    return changes


def _representation(profile: selectors.Profile) -> dict[str, Any]:
    timing = profile.timing
    return {
        "email_address": profile.email_address,
        "email_address_refused": profile.address_refused,
        "default_events": switches(profile.default_events),
        "default_events_source": profile.default_events_source.value,
        "channels": {
            choice.channel.value: {
                "offered": choice.offered,
                "available": choice.available,
                "why_not": choice.why_not,
                "enabled": choice.enabled,
                "events": switches(choice.events, ALL_EVENTS),
            }
            for choice in profile.channels
        },
        "waiting_minutes": profile.waiting_minutes,
        "time_zone": profile.time_zone,
        "bundling_minutes": timing.bundling_minutes,
        "daily_hour": timing.daily_hour,
        "quiet_hours": timing.quiet
        and {"from": f"{timing.quiet.start:%H:%M}", "until": f"{timing.quiet.end:%H:%M}"},
        "quiet_until": quiet_until(timezone.now(), timing.quiet, timing.zone),
        "failures_pass_quiet": profile.failures_pass_quiet,
        "language": profile.language,
        "site_default_events": switches(profile.site.default_events),
        "site_waiting_minutes": profile.site.waiting_minutes,
        "site_language": profile.site_language,
    }
