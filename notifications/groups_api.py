"""REST: sweeps as groups of jobs. Whatever is not one's own does not exist (404)."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, QuerySet, Value, When
from django.db.models.functions import Length
from django.http import Http404
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import inbox, links
from notifications.groups import wishes
from notifications.groups.models import GroupJob, JobGroup, JobState
from notifications.jobs_api import viewer
from notifications.pages import StrictCursorPagination
from notifications.serializers import CountsSerializer
from preferences.fields import StrictBooleanField, StrictChoiceField, StrictSerializer
from preferences.muting import MutingSerializer

STATES = [(state.label, state.label) for state in JobState]
ALL_ENDED = gettext_lazy("All jobs of this sweep have ended already.")
WORST_FIRST = (JobState.FAILED, JobState.STOPPED, JobState.RUNNING, JobState.WAITING, JobState.SUCCEEDED)


class GroupSerializer(serializers.Serializer[JobGroup]):
    id = serializers.IntegerField()
    name = serializers.CharField(help_text="What the names of its jobs have in common; * for what varies.")
    username = serializers.CharField(source="user_name")
    virtual_cluster = serializers.CharField()
    jobs = serializers.IntegerField()
    counts = CountsSerializer()
    has_ended = serializers.BooleanField(help_text="No known job waits or runs.")
    started_at = serializers.DateTimeField(help_text="When the first of its jobs was submitted.")
    changed_at = serializers.DateTimeField()
    muted = serializers.BooleanField()
    muted_until = serializers.DateTimeField(allow_null=True, help_text="null: for good, if it is muted.")
    tell_when_ended = serializers.BooleanField(help_text="Falls back to false when it has been told.")
    url = serializers.URLField()

    def to_representation(self, instance: JobGroup) -> dict[str, Any]:
        mute = wishes.mute_of(instance)
        return {
            "id": instance.pk,
            "name": instance.stem,
            "username": instance.user_name,
            "virtual_cluster": instance.virtual_cluster,
            "jobs": instance.jobs,
            "counts": instance.counts,
            "has_ended": instance.has_ended,
            "started_at": instance.started_at,
            "changed_at": instance.changed_at,
            "muted": mute is not None,
            "muted_until": mute.until if mute else None,
            "tell_when_ended": instance.tell_when_ended,
            "url": links.group_page(instance.pk),
        }


class GroupChangeSerializer(MutingSerializer):
    """What is left out stays as it is."""

    tell_when_ended = StrictBooleanField(
        required=False, help_text="Tell once, through one's channels, that the last known job has ended."
    )


class GroupJobSerializer(serializers.Serializer[GroupJob]):
    name = serializers.CharField(source="job_name")
    framework = serializers.CharField(source="framework_name")
    submission_time = serializers.DateTimeField()
    state = serializers.ChoiceField(STATES, source="get_state_display")
    url = serializers.SerializerMethodField()

    def get_url(self, instance: GroupJob) -> str:
        return links.job_page(instance.framework_name)


class GroupJobsQuery(StrictSerializer):
    state = StrictChoiceField(STATES, required=False)
    page = serializers.IntegerField(required=False, min_value=1)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=inbox.MAX_PAGE)


class GroupJobPagination(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = inbox.MAX_PAGE


class GroupPagination(StrictCursorPagination):
    ordering = "-id"
    page_size = 30
    page_size_query_param = "page_size"
    max_page_size = inbox.MAX_PAGE


class GroupsView(GenericAPIView[JobGroup]):
    serializer_class = GroupSerializer
    pagination_class = GroupPagination
    queryset = JobGroup.objects.none()

    @extend_schema(operation_id="groups_list", responses=GroupSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Own groups, those that began last first."""
        page = self.paginate_queryset(wishes.own(viewer(request)))
        return self.get_paginated_response([self.get_serializer(one).data for one in page or ()])


class GroupView(GenericAPIView[JobGroup]):
    serializer_class = GroupSerializer
    queryset = JobGroup.objects.none()

    @extend_schema(operation_id="group_read")
    def get(self, request: Request, group_id: int) -> Response:
        """One group, with the numbers of its jobs by state."""
        return Response(GroupSerializer(find_group(request, group_id)).data)

    @extend_schema(operation_id="group_change", request=GroupChangeSerializer, responses=GroupSerializer)
    def patch(self, request: Request, group_id: int) -> Response:
        """Mute it or not, and whether its end is to be told."""
        group = find_group(request, group_id)
        given = GroupChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            changed = wishes.change(group=group, **given.validated_data)
        except wishes.AllEndedError:
            raise ValidationError({"tell_when_ended": [ALL_ENDED]}) from None
        return Response(GroupSerializer(changed).data)


class GroupJobsView(GenericAPIView[GroupJob]):
    serializer_class = GroupJobSerializer
    pagination_class = GroupJobPagination
    queryset = GroupJob.objects.none()

    @extend_schema(
        operation_id="group_jobs", parameters=[GroupJobsQuery], responses=GroupJobSerializer(many=True)
    )
    def get(self, request: Request, group_id: int) -> Response:
        """The jobs of a group: those that failed first, then by name."""
        query = GroupJobsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        group = find_group(request, group_id)
        page = self.paginate_queryset(jobs_of(group, query.validated_data.get("state", "")))
        return self.get_paginated_response([self.get_serializer(one).data for one in page or ()])


def find_group(request: Request, group_id: int) -> JobGroup:
    found = wishes.visible_to(viewer(request)).filter(pk=group_id).first()
    if found is None:
        raise Http404("There is no such group.")
    return found


def jobs_of(group: JobGroup, state: str = "") -> QuerySet[GroupJob]:
    """The worst state first, then by name, in which 10 comes after 9."""
    found = GroupJob.objects.filter(group=group)
    if state:
        found = found.filter(state=next(one for one in JobState if one.label == state))
    rank = Case(*(When(state=one, then=Value(place)) for place, one in enumerate(WORST_FIRST)))
    return found.order_by(rank, Length("job_name"), "job_name", "submission_time")
