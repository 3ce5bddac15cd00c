"""REST's way of muting: `muted` and `muted_until`, as one change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers

from preferences.fields import StrictBooleanField, StrictSerializer, check_mute_end
from preferences.services import Mute


class MutingSerializer(StrictSerializer):
    """Once valid, `mute` is a Mute, or None to end one; it is missing when nothing was said of it."""

    muted = StrictBooleanField(
        required=False, help_text="true: for good, unless `muted_until` says otherwise."
    )
    muted_until = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Mutes it until then. null: says nothing."
    )

    def validate_muted_until(self, value: datetime | None) -> datetime | None:
        if value is not None:
            check_mute_end(value)
        return value

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        until, muted = data.pop("muted_until", None), data.pop("muted", None)
        if until and muted is False:
            raise serializers.ValidationError({"muted_until": gettext("What is not muted has none.")})
        if until or muted is not None:
            data["mute"] = Mute(until) if until or muted else None
        return data
