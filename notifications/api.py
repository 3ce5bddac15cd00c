"""REST: the signed-in user's own notifications. Whatever is not theirs does not exist (404)."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications import inbox, marking, mutes
from notifications.models import Notification
from notifications.pages import NotificationPages
from notifications.serializers import (
    CountSerializer,
    FindSerializer,
    FlagsSerializer,
    MarkReadSerializer,
    NotificationSerializer,
    UnreadSerializer,
    filters_of,
)


def own_id(request: Request) -> int:
    user_id = request.user.pk
    assert isinstance(user_id, int)
    return user_id


class NotificationsView(GenericAPIView[Notification]):
    serializer_class = NotificationSerializer
    pagination_class = NotificationPages
    queryset = Notification.objects.none()

    @extend_schema(parameters=[FindSerializer], responses=NotificationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Own notifications, newest first; with `after`, those newer than that id, oldest first.

        A page can be short, or empty, and still have a `next`: each looks at a bounded number of notifications.
        """
        query = {key: request.query_params[key] for key in request.query_params if key != "event"}
        find = FindSerializer(data={**query, "event": request.query_params.getlist("event")})
        find.is_valid(raise_exception=True)
        pages = NotificationPages()
        rows = pages.read(request, user_id=own_id(request), filters=filters_of(find.validated_data))
        return pages.get_paginated_response([self.get_serializer(one).data for one in rows])


class NotificationView(APIView):
    @extend_schema(responses=NotificationSerializer)
    def get(self, request: Request, notification_id: int) -> Response:
        """One own notification."""
        return self._answer(inbox.own(own_id(request)).filter(id=notification_id).first())

    @extend_schema(request=FlagsSerializer, responses=NotificationSerializer)
    def patch(self, request: Request, notification_id: int) -> Response:
        """Mark it read or unread, archive, save or snooze it, or take that back."""
        flags = FlagsSerializer(data=request.data)
        flags.is_valid(raise_exception=True)
        return self._answer(
            marking.set_flags(
                user_id=own_id(request), notification_id=notification_id, flags=flags.validated_data
            )
        )

    def _answer(self, found: Notification | None) -> Response:
        if found is None:
            raise Http404
        mutes.note([found])
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
