"""Shapes of requests and answers of the notification API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from rest_framework import serializers

from notifications import inbox, marking, muting
from notifications.finding import Filters
from notifications.groups.models import JobState
from notifications.models import Notification
from preferences.fields import StrictBooleanField, StrictChoiceField, StrictSerializer
from preferences.kinds import Event

MAX_IDS = 500
MAX_ID = 2**63 - 1
MAX_UNDO_CHARACTERS = 200_000
LONGEST_SNOOZE = timedelta(days=366)


class JobSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    framework = serializers.CharField()
    username = serializers.CharField()
    virtual_cluster = serializers.CharField()


class CountsSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {state.label: serializers.IntegerField() for state in JobState}


class OfGroupSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    counts = CountsSerializer()
    muted = serializers.BooleanField()
    muted_until = serializers.DateTimeField(allow_null=True)


class NotificationSerializer(serializers.Serializer[Notification]):
    id = serializers.IntegerField()
    event = serializers.ChoiceField(choices=Event.choices)
    title = serializers.CharField()
    summary = serializers.CharField()
    job = JobSerializer()
    group = OfGroupSerializer(
        allow_null=True, help_text="The sweep that the job is one of, as it stands now."
    )
    ordinal = serializers.IntegerField()
    occurred_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)
    archived_at = serializers.DateTimeField(allow_null=True)
    saved = serializers.BooleanField()
    snoozed_until = serializers.DateTimeField(allow_null=True)
    returned_at = serializers.DateTimeField(
        allow_null=True, help_text="When it came back last. Until it is read it is at the head of the inbox."
    )
    muted = serializers.BooleanField(help_text="Its job is muted now.")
    muted_until = serializers.DateTimeField(allow_null=True, help_text="null: for good, if it is muted.")
    url = serializers.URLField()
    details = serializers.DictField()

    def to_representation(self, instance: Notification) -> dict[str, Any]:
        return inbox.payload(instance, instance.user.get_username())


class SnoozeField(serializers.DateTimeField):
    """When a notification is to come back."""

    def to_internal_value(self, value: Any) -> datetime:
        until = super().to_internal_value(value)
        if not timezone.now() < until < timezone.now() + LONGEST_SNOOZE:
            raise serializers.ValidationError(
                gettext("Must be in the next %(days)d days.") % {"days": LONGEST_SNOOZE.days}
            )
        return until


class FlagsSerializer(StrictSerializer):
    read = StrictBooleanField(required=False)
    archived = StrictBooleanField(required=False)
    saved = StrictBooleanField(required=False)
    snoozed_until = SnoozeField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("archived") and attrs.get("snoozed_until"):
            raise serializers.ValidationError(
                {"snoozed_until": gettext("What is archived does not come back.")}
            )
        return attrs


class MarkReadSerializer(StrictSerializer):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=MAX_ID), max_length=MAX_IDS, required=False
    )
    up_to = serializers.IntegerField(min_value=0, max_value=MAX_ID, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(gettext("Send either `ids` (a list) or `up_to` (an id)."))
        return attrs


class CountSerializer(serializers.Serializer[Any]):
    unread = serializers.IntegerField(max_value=inbox.MAX_UNREAD_SHOWN)


class UnreadSerializer(CountSerializer):
    more = serializers.BooleanField()
    last_id = serializers.IntegerField()


class FiltersSerializer(StrictSerializer):
    """What is wanted of an inbox, as JSON."""

    unread: serializers.BooleanField = StrictBooleanField(required=False, default=False)
    archived: serializers.BooleanField = StrictBooleanField(required=False, default=False)
    saved: serializers.BooleanField = StrictBooleanField(
        required=False, default=False, help_text="Also archived and snoozed ones."
    )
    snoozed: serializers.BooleanField = StrictBooleanField(required=False, default=False)
    event = serializers.ListField(
        child=StrictChoiceField(Event.choices), max_length=len(Event), required=False, default=list
    )
    virtual_cluster = serializers.CharField(required=False, allow_blank=True, max_length=256, default="")
    job = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=256,
        default="",
        help_text="A framework's or a job's name.",
    )
    since = serializers.DateTimeField(
        required=False, default=None, help_text="Of the notification; included."
    )
    until = serializers.DateTimeField(required=False, default=None, help_text="Not included.")
    q = serializers.CharField(
        required=False, allow_blank=True, max_length=256, default="", help_text="A part of a job's name."
    )
    up_to = serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID, default=None)
    group = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_ID, default=None, help_text="The id of a sweep."
    )


def filters_of(wanted: Mapping[str, Any]) -> Filters:
    """The validated data of a FiltersSerializer."""
    return Filters(
        unread=wanted["unread"],
        archived=wanted["archived"],
        saved=wanted["saved"],
        snoozed=wanted["snoozed"],
        events=tuple(wanted["event"]),
        virtual_cluster=wanted["virtual_cluster"],
        job=wanted["job"],
        since=wanted["since"],
        until=wanted["until"],
        text=wanted["q"],
        after=wanted.get("after"),
        up_to=wanted["up_to"],
        group=wanted["group"],
        collapse=wanted.get("collapse", False),
    )


class FindSerializer(FiltersSerializer):
    """The same as the query of the list, where `event` is repeated, with what its pages need."""

    unread = serializers.BooleanField(required=False, default=False)
    archived = serializers.BooleanField(required=False, default=False)
    saved = serializers.BooleanField(required=False, default=False)
    snoozed = serializers.BooleanField(required=False, default=False)
    after = serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID, default=None)
    collapse = serializers.BooleanField(
        required=False, default=False, help_text="Of each group only the newest of what is wanted."
    )
    cursor = serializers.CharField(required=False, max_length=200)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=inbox.MAX_PAGE)


class BulkSerializer(StrictSerializer):
    """`ids`, or `filter` with the `cursor` of the answer before, and an `action`; or `undo` alone."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=MAX_ID), max_length=MAX_IDS, required=False
    )
    filter = FiltersSerializer(required=False)
    cursor = serializers.CharField(required=False, max_length=200)
    action = StrictChoiceField([(name, name) for name in (*marking.ACTIONS, *muting.ACTIONS)], required=False)
    until = SnoozeField(
        required=False, help_text="For `snooze`, and for `mute`, which without it is for good."
    )
    undo = serializers.CharField(required=False, max_length=MAX_UNDO_CHARACTERS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len({"ids", "filter", "undo"} & set(attrs)) != 1 or ("undo" in attrs and len(attrs) > 1):
            raise serializers.ValidationError(gettext("Send `ids`, or `filter`, or nothing but `undo`."))
        if "undo" not in attrs and "action" not in attrs:
            raise serializers.ValidationError({"action": gettext("Say what is to be done.")})
        if attrs.get("action") != muting.MUTE and (attrs.get("action") == "snooze") != ("until" in attrs):
            raise serializers.ValidationError(
                {"until": gettext("Belongs to `snooze`, which needs it, and to `mute`.")}
            )
        if "cursor" in attrs and "filter" not in attrs:
            raise serializers.ValidationError({"cursor": gettext("Belongs to `filter`.")})
        return attrs


class BulkAnswerSerializer(CountSerializer):
    more = serializers.BooleanField()
    changed = serializers.IntegerField()
    next = serializers.CharField(
        allow_null=True,
        help_text="There may be more that match: send it as `cursor`, with all else the same.",
    )
    undo = serializers.CharField(help_text="Takes this back, for a day; '' when nothing was changed.")
