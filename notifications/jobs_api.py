"""REST: the list of jobs, and what is told about one of them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from notifications import job_list, jobs
from preferences import services
from preferences.fields import (
    MinutesField,
    StrictBooleanField,
    StrictSerializer,
    chosen_events,
)
from preferences.kinds import JOB_EVENTS
from preferences.muting import MutingSerializer
from preferences.rules import Source
from preferences.selectors import JobWishes, job_wishes

SOURCES = [(source.value, source.value) for source in Source]


class UnavailableError(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"


class JobListQuery(StrictSerializer):
    days = serializers.IntegerField(
        default=job_list.DEFAULT_DAYS,
        min_value=1,
        max_value=job_list.MAX_DAYS,
        help_text="Jobs submitted in the last so many days.",
    )
    cursor = serializers.CharField(default="", allow_blank=True, help_text="From `next` or `previous`.")
    page_size = serializers.IntegerField(
        default=job_list.DEFAULT_PAGE, min_value=1, max_value=job_list.MAX_PAGE
    )

    def validate_cursor(self, value: str) -> job_list.Cursor | None:
        try:
            return job_list.Cursor.parse(value) if value else None
        except job_list.BadCursorError:
            raise serializers.ValidationError(
                gettext("Not a valid cursor; start again without one.")
            ) from None


class ListedJobSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(allow_null=True)
    framework = serializers.CharField()
    username = serializers.CharField(allow_null=True)
    virtual_cluster = serializers.CharField(allow_null=True)
    state = serializers.CharField(allow_null=True)
    retries = serializers.IntegerField(allow_null=True)
    submission_time = serializers.DateTimeField()
    muted = serializers.BooleanField()
    muted_until = serializers.DateTimeField(allow_null=True, help_text="null: for good, if it is muted.")


class JobPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ListedJobSerializer(many=True)


class JobEventSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"wanted": serializers.BooleanField(), "source": serializers.ChoiceField(SOURCES)}


class JobEventsSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {event.value: JobEventSerializer() for event in JOB_EVENTS}


class NotificationConfigSerializer(serializers.Serializer[Any]):
    framework = serializers.CharField()
    submission_time = serializers.DateTimeField()
    events = JobEventsSerializer()
    waiting_minutes = serializers.IntegerField()
    waiting_minutes_source = serializers.ChoiceField(SOURCES)
    muted = serializers.BooleanField()
    muted_until = serializers.DateTimeField(allow_null=True, help_text="null: for good, if it is muted.")
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="What is wrong in the notification block of the job's file."
    )


class EventOverridesSerializer(StrictSerializer):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {event.value: StrictBooleanField(required=False, allow_null=True) for event in JOB_EVENTS}


class OverrideSerializer(MutingSerializer):
    """null drops what was set; what is left out stays as it is."""

    events = EventOverridesSerializer(required=False)
    waiting_minutes = MinutesField(required=False, allow_null=True)


class JobsAPIView(APIView):
    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, jobs.NoSuchJobError):
            exc = NotFound("There is no such job.")
        elif isinstance(exc, jobs.JobsUnavailableError):
            exc = UnavailableError(str(exc))
        return super().handle_exception(exc)


class JobListView(JobsAPIView):
    """The signed-in user's jobs, newest first; an administrator's list has everybody's."""

    @extend_schema(
        operation_id="jobs_list", parameters=[JobListQuery], responses=JobPageSerializer, filters=False
    )
    def get(self, request: Request) -> Response:
        """A page can be short, or empty, and still have a `next`: each looks at a bounded number of jobs."""
        query = JobListQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        page = job_list.list_jobs(viewer=viewer(request), **query.validated_data)
        data = {
            "next": _link(request, page.next),
            "previous": _link(request, page.previous),
            "results": page.jobs,
        }
        return Response(JobPageSerializer(data).data)


@extend_schema(
    parameters=[
        OpenApiParameter("framework", str, OpenApiParameter.PATH, description="The framework's name.")
    ],
    responses=NotificationConfigSerializer,
)
class NotificationConfigView(JobsAPIView):
    """Which events of a job are told, who says so, and what was set for this job alone."""

    @extend_schema(operation_id="job_config_read")
    def get(self, request: Request, framework: str) -> Response:
        job = jobs.find_job(viewer=viewer(request), framework_name=framework)
        return Response(_representation(job, job_wishes(job=job.config)))

    @extend_schema(operation_id="job_config_change", request=OverrideSerializer)
    def patch(self, request: Request, framework: str) -> Response:
        """Set what holds for this job alone. It goes before the job's file and all defaults."""
        job = jobs.find_job(viewer=viewer(request), framework_name=framework)
        given = OverrideSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        if "events" in changes:
            changes["events"] = chosen_events(changes["events"])
        return Response(_representation(job, services.set_job_override(job=job.config, **changes)))

    @extend_schema(operation_id="job_config_drop")
    def delete(self, request: Request, framework: str) -> Response:
        """Drop all that was set for this job alone; answers what holds then."""
        job = jobs.find_job(viewer=viewer(request), framework_name=framework)
        return Response(_representation(job, services.drop_job_override(job=job.config)))


def viewer(request: Request) -> User:
    assert isinstance(request.user, User)  # REST asks for authentication by default
    return request.user


def _link(request: Request, cursor: job_list.Cursor | None) -> str | None:
    url = request.build_absolute_uri()
    return None if cursor is None else replace_query_param(url, "cursor", str(cursor))


def _representation(job: jobs.JobDetails, wishes: JobWishes) -> dict[str, Any]:
    minutes, source = wishes.waiting
    data = {
        "framework": job.config.framework_name,
        "submission_time": job.config.submission_time,
        "events": {wish.event.value: wish for wish in wishes.events},
        "waiting_minutes": minutes,
        "waiting_minutes_source": source,
        "muted": wishes.override.muted,
        "muted_until": wishes.override.muted_until,
        "warnings": job.warnings,
    }
    return NotificationConfigSerializer(data).data
