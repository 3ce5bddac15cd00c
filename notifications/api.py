"""REST: the signed-in user's own notifications. Whatever is not theirs does not exist (404)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications import inbox
from notifications.models import Notification
from notifications.serializers import (
    MAX_ID,
    CountSerializer,
    FindSerializer,
    FlagsSerializer,
    MarkReadSerializer,
    NotificationSerializer,
    UnreadSerializer,
)

PAGE_SIZE = 30


def own_id(request: Request) -> int:
    user_id = request.user.pk
    assert isinstance(user_id, int)
    return user_id


class NotificationPagination(CursorPagination):
    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = inbox.MAX_PAGE

    def decode_cursor(self, request: Any) -> Cursor | None:
        """Raises ValidationError for what was never given out, also where the base class would pass it on."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
            if cursor is None or cursor.position is None or 0 <= int(cursor.position) <= MAX_ID:
                return cursor
        except (NotFound, ValueError):
            pass
        raise ValidationError({"cursor": ["Not a valid cursor; start again without one."]})

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        return ("id",) if request.query_params.get("after") else ("-id",)


class NotificationsView(GenericAPIView[Notification]):
    serializer_class = NotificationSerializer
    pagination_class = NotificationPagination
    queryset = Notification.objects.none()

    @extend_schema(parameters=[FindSerializer], responses=NotificationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Own notifications, newest first; with `after`, those newer than that id, oldest first."""
        query = {key: request.query_params[key] for key in request.query_params if key != "event"}
        find = FindSerializer(data={**query, "event": request.query_params.getlist("event")})
        find.is_valid(raise_exception=True)
        wanted = find.validated_data
        found: QuerySet[Notification] = inbox.find(
            user_id=own_id(request),
            unread=wanted["unread"],
            archived=wanted["archived"],
            events=wanted["event"],
            job=wanted["job"],
            text=wanted["q"],
            after=wanted["after"],
        )
        page = self.paginate_queryset(found)
        return self.get_paginated_response([self.get_serializer(one).data for one in page or ()])


class NotificationView(APIView):
    @extend_schema(responses=NotificationSerializer)
    def get(self, request: Request, notification_id: int) -> Response:
        """One own notification."""
        return self._answer(inbox.own(own_id(request)).filter(id=notification_id).first())

    @extend_schema(request=FlagsSerializer, responses=NotificationSerializer)
    def patch(self, request: Request, notification_id: int) -> Response:
        """Mark it read or unread, archive it or take it back."""
        flags = FlagsSerializer(data=request.data)
        flags.is_valid(raise_exception=True)
        return self._answer(
            inbox.set_flags(user_id=own_id(request), notification_id=notification_id, **flags.validated_data)
        )

    def _answer(self, found: Notification | None) -> Response:
        if found is None:
            raise Http404
        return Response(NotificationSerializer(found).data)


class MarkReadView(APIView):
    @extend_schema(request=MarkReadSerializer, responses=CountSerializer)
    def post(self, request: Request) -> Response:
        """Mark some, or all up to and with an id, as read; answers what is still unread."""
        which = MarkReadSerializer(data=request.data)
        which.is_valid(raise_exception=True)
        inbox.mark_read(user_id=own_id(request), **which.validated_data)
        return Response({"unread": inbox.count_unread(own_id(request)).unread})


class UnreadView(APIView):
    @extend_schema(responses=UnreadSerializer)
    def get(self, request: Request) -> Response:
        """The number of unread notifications (99 at most, then `more`) and the newest id."""
        return Response(inbox.count_unread(own_id(request)).as_dict())
