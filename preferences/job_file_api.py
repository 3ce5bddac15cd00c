"""REST: sets the notification block in a job's file."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from preferences.fields import (
    MinutesField,
    StrictBooleanField,
    StrictSerializer,
    StrictStringField,
    chosen_events,
)
from preferences.job_file import JobFileError, set_block
from preferences.job_protocol import FILE_KEYS
from preferences.kinds import Event


@extend_schema_field({"oneOf": [{"type": "boolean"}, {"type": "integer", "minimum": 1}]})
class BooleanOrMinutesField(MinutesField):
    default_error_messages = {"invalid": gettext_lazy("Must be true, false or a whole number of minutes.")}

    def to_internal_value(self, data: Any) -> Any:
        return data if isinstance(data, bool) else super().to_internal_value(data)

    def run_validators(self, value: Any) -> None:
        if not isinstance(value, bool):
            super().run_validators(value)


class FileEventsSerializer(StrictSerializer):
    """Events by their names here or, as in the file itself, `waitingTooLong`."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        names = {event.value: event for event in FILE_KEYS.values()} | dict(FILE_KEYS)
        return {
            name: (BooleanOrMinutesField if event is Event.WAITING_TOO_LONG else StrictBooleanField)(
                required=False
            )
            for name, event in names.items()
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {FILE_KEYS.get(name, name): value for name, value in attrs.items()}
        if len(given) < len(attrs):
            raise serializers.ValidationError(
                gettext("Give `waiting_too_long` or `waitingTooLong`, not both.")
            )
        return given


class JobFileSerializer(StrictSerializer):
    yaml = StrictStringField(trim_whitespace=False, help_text="The job's file: YAML or JSON.")
    events = FileEventsSerializer(help_text="What the block is to name; `waiting_too_long` may be minutes.")


class EditedFileSerializer(serializers.Serializer[Any]):
    yaml = serializers.CharField()
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="What the old block held and the new one does not."
    )


class JobFileView(APIView):
    """For those who are signed in, or bear a token of the cluster, as everywhere. Nothing is stored."""

    @extend_schema(
        operation_id="job_file_edit",
        request=JobFileSerializer,
        responses={
            200: EditedFileSerializer,
            400: OpenApiResponse(
                OpenApiTypes.OBJECT, description="Why the block cannot be set in this file."
            ),
            413: OpenApiResponse(OpenApiTypes.OBJECT, description="The body is larger than 1 MB."),
        },
    )
    def post(self, request: Request) -> Response:
        """Set `extras.jobStatusChangeNotification` in a job's file to exactly these events.

        Everything but the block stays byte for byte as it is. The file may have 255 KB and 5,000 parts; a file
        that cannot be edited without touching the rest of it is refused with the reason.
        """
        given = JobFileSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            edited = set_block(given.validated_data["yaml"], chosen_events(given.validated_data["events"]))
        except JobFileError as error:
            raise serializers.ValidationError({"yaml": [str(error)]}) from None
        return Response(EditedFileSerializer({"yaml": edited.text, "warnings": edited.warnings}).data)
