"""Shapes of requests and answers of the notification API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from notifications import inbox
from notifications.models import Notification
from preferences.fields import StrictBooleanField, StrictChoiceField, StrictSerializer
from preferences.kinds import Event

MAX_IDS = 500
MAX_ID = 2**63 - 1


class JobSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    framework = serializers.CharField()
    username = serializers.CharField()
    virtual_cluster = serializers.CharField()


class NotificationSerializer(serializers.Serializer[Notification]):
    id = serializers.IntegerField()
    event = serializers.ChoiceField(choices=Event.choices)
    title = serializers.CharField()
    summary = serializers.CharField()
    job = JobSerializer()
    ordinal = serializers.IntegerField()
    occurred_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)
    archived_at = serializers.DateTimeField(allow_null=True)
    url = serializers.URLField()
    details = serializers.DictField()

    def to_representation(self, instance: Notification) -> dict[str, Any]:
        return inbox.payload(instance, instance.user.get_username())


class FlagsSerializer(StrictSerializer):
    read = StrictBooleanField(required=False)
    archived = StrictBooleanField(required=False)


class MarkReadSerializer(StrictSerializer):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=MAX_ID), max_length=MAX_IDS, required=False
    )
    up_to = serializers.IntegerField(min_value=0, max_value=MAX_ID, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Send either `ids` (a list) or `up_to` (an id).")
        return attrs


class CountSerializer(serializers.Serializer[Any]):
    unread = serializers.IntegerField(max_value=inbox.MAX_UNREAD_SHOWN)


class UnreadSerializer(CountSerializer):
    more = serializers.BooleanField()
    last_id = serializers.IntegerField()


class FindSerializer(StrictSerializer):
    """The query of the list. `event` may be repeated."""

    unread = serializers.BooleanField(required=False, default=False)
    archived = serializers.BooleanField(required=False, default=False)
    event = serializers.ListField(child=StrictChoiceField(Event.choices), required=False, default=list)
    job = serializers.CharField(required=False, allow_blank=True, max_length=256, default="")
    q = serializers.CharField(required=False, allow_blank=True, max_length=256, default="")
    after = serializers.IntegerField(required=False, min_value=0, max_value=MAX_ID, default=None)
    cursor = serializers.CharField(required=False, max_length=200)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=inbox.MAX_PAGE)
