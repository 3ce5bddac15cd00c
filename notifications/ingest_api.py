"""REST: what Alertmanager and other schedulers tell us. It is put in line for the poller and answered at once."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, ParseError
from rest_framework.fields import empty
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.sources.base import UndigestibleError
from notifications.sources.ingest import alertmanager, job_events, line
from notifications.sources.ingest.models import Received
from notifications.sources.usernames import valid_username
from notifications.tokens import presents
from notifications.wording import one_line
from preferences.fields import StrictChoiceField, StrictSerializer, StrictStringField
from preferences.kinds import JOB_EVENTS, Event
from preferences.models import SiteSettings, choices_of

logger = logging.getLogger(__name__)

MAX_WEBHOOK_BYTES = 8 * 1024 * 1024
MAX_JOB_CHARACTERS = 256
MAX_MESSAGE_CHARACTERS = 1000
MAX_ORDINAL = 1_000_000
JOB_EVENT_CHOICES = choices_of(JOB_EVENTS)
MAX_AGE = timedelta(days=30)
MAX_CLOCK_SKEW = timedelta(minutes=10)
MAX_IGNORED_SHOWN = 100


class IngestOffError(APIException):
    """503 rather than 404, so that Alertmanager tries again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Nothing is taken in here: INGEST_TOKEN is not set."
    default_code = "ingest_off"


class OtherOwnerError(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = (
        "This event of this job is known already, with another `username`. Give each job a name of its own, "
        "such as its scheduler's name and number."
    )
    default_code = "other_owner"


class IngestAuthentication(BaseAuthentication):
    """`Authorization: Bearer <INGEST_TOKEN>`. It is nobody's: it opens these two addresses only."""

    def authenticate(self, request: Request) -> None:
        if not settings.INGEST_TOKEN:
            raise IngestOffError
        if not presents(request, settings.INGEST_TOKEN):
            raise AuthenticationFailed("The bearer token must be this site's INGEST_TOKEN.")

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IngestScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = IngestAuthentication
    name = "ingest"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class IngestView(APIView):
    authentication_classes = [IngestAuthentication]
    permission_classes = [AllowAny]


class IgnoredSerializer(serializers.Serializer[Any]):
    fingerprint = serializers.CharField()
    alertname = serializers.CharField()
    reason = serializers.CharField()


class AcceptedSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField(help_text="Alerts in line or known already.")
    ignored = IgnoredSerializer(many=True, help_text=f"The first {MAX_IGNORED_SHOWN}, each with why.")
    truncated = serializers.IntegerField(help_text="Alerts that Alertmanager itself has left out.")


class AlertmanagerView(IngestView):
    """Alertmanager's webhook."""

    max_body_bytes = MAX_WEBHOOK_BYTES

    @extend_schema(
        operation_id="ingest_alertmanager", request=OpenApiTypes.OBJECT, responses=AcceptedSerializer
    )
    def post(self, request: Request) -> Response:
        """Payload version 4. What can be used is taken, also when the rest cannot: 400 would lose all of it."""
        site = SiteSettings.objects.filter(ownerless_alerts_to_admins=True).exists()
        try:
            reading = alertmanager.read(request.data, now=timezone.now(), take_ownerless=site)
        except alertmanager.BadPayloadError as error:
            raise ParseError(str(error)) from None
        new = line.put(reading.new)
        if reading.ignored or reading.truncated:
            first = reading.ignored[0].reason if reading.ignored else ""
            logger.warning(
                "alerts ignored=%d truncated=%d first_reason=%r",
                len(reading.ignored), reading.truncated, first,
            )  # fmt: skip
        logger.info("alerts received=%d new=%d", len(reading.new), len(new))
        ignored = [asdict(one) for one in reading.ignored[:MAX_IGNORED_SHOWN]]
        return Response({"accepted": len(reading.new), "ignored": ignored, "truncated": reading.truncated})


class LineField(StrictStringField):
    """One line of text: control characters become spaces."""

    def run_validation(self, data: Any = empty) -> str:
        text: str = super().run_validation(one_line(data) if isinstance(data, str) else data)
        return text


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.Field[datetime, str, str, Any]):
    default_error_messages = {
        "invalid": gettext_lazy("Must be a time with an offset, such as 2026-11-22T09:00:00Z."),
        "future": gettext_lazy("Must not be in the future."),
        "old": gettext_lazy("Must not be more than {days} days ago."),
    }

    def to_internal_value(self, data: Any) -> datetime:
        try:
            time = datetime.fromisoformat(data) if isinstance(data, str) else None
        except ValueError:
            time = None
        if time is None or time.tzinfo is None:
            self.fail("invalid")
        now = timezone.now()
        if time > now + MAX_CLOCK_SKEW:
            self.fail("future")
        if time < now - MAX_AGE:
            self.fail("old", days=MAX_AGE.days)
        return time.astimezone(UTC)  # PostgreSQL knows fewer offsets

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


class OrdinalField(serializers.IntegerField):
    default_error_messages = {"invalid": gettext_lazy("Must be a whole number.")}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class JobEventInSerializer(StrictSerializer):
    job = LineField(max_length=MAX_JOB_CHARACTERS, help_text="What its scheduler calls it; never used again.")
    username = StrictStringField()
    event = StrictChoiceField(JOB_EVENT_CHOICES)
    ordinal = OrdinalField(
        required=False, min_value=0, max_value=MAX_ORDINAL, help_text="The number of the retry; else 0."
    )
    occurred_at = MomentField(required=False, help_text="With an offset; left out: now.")
    message = LineField(required=False, allow_blank=True, max_length=MAX_MESSAGE_CHARACTERS)
    url = StrictStringField(required=False, allow_blank=True, help_text="The job's page at its scheduler.")

    def validate_username(self, value: str) -> str:
        try:
            return valid_username(value)
        except UndigestibleError as error:
            raise serializers.ValidationError(str(error)) from None

    def validate_url(self, value: str) -> str:
        if value and not alertmanager.web_address(value):
            raise serializers.ValidationError(
                gettext("Must be an address such as https://slurm.example.org/job/7.")
            )
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["event"] == Event.RETRIED and not attrs.get("ordinal"):
            raise serializers.ValidationError(
                {"ordinal": gettext("A retry needs its number: 1 for the first.")}
            )
        return attrs


class JobEventOutSerializer(serializers.Serializer[Any]):
    job = serializers.CharField()
    event = serializers.ChoiceField(JOB_EVENT_CHOICES)
    ordinal = serializers.IntegerField()
    new = serializers.BooleanField(help_text="false: it was known already, and nobody is told again.")


class JobEventsView(IngestView):
    """Events of jobs of any other scheduler."""

    @extend_schema(
        operation_id="ingest_events",
        request=JobEventInSerializer,
        responses={200: JobEventOutSerializer, 201: JobEventOutSerializer},
    )
    def post(self, request: Request) -> Response:
        """201 for what is new; 200 when this event of this job, with this ordinal, is known already."""
        given = JobEventInSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = {"ordinal": 0, "occurred_at": timezone.now(), **given.validated_data}
        one = job_events.received(**{**data, "event": Event(data["event"])})
        new = bool(line.put([one]))
        if not new and not Received.objects.filter(key=one.key, user_name=one.user_name).exists():
            raise OtherOwnerError
        code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return Response(
            {"new": new, **{name: data[name] for name in ("job", "event", "ordinal")}}, status=code
        )
