"""REST as OpenPAI's portal knows it: what its own bell shows."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications import inbox, openpai_alerts


class AnnotationsSerializer(serializers.Serializer[Any]):
    summary = serializers.CharField()


class StatusSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["active"])
    silencedBy = serializers.ListField(child=serializers.CharField())  # noqa: N815 - Alertmanager's name
    inhibitedBy = serializers.ListField(child=serializers.CharField())  # noqa: N815 - Alertmanager's name


class AlertSerializer(serializers.Serializer[Any]):
    labels = serializers.DictField(child=serializers.CharField())
    annotations = AnnotationsSerializer()
    startsAt = serializers.DateTimeField()  # noqa: N815 - Alertmanager's name
    endsAt = serializers.DateTimeField()  # noqa: N815 - Alertmanager's name
    generatorURL = serializers.URLField()  # noqa: N815 - Alertmanager's name
    status = StatusSerializer()
    receivers = serializers.ListField(child=serializers.CharField())
    fingerprint = serializers.CharField()


class AlertsView(APIView):
    @extend_schema(operation_id="openpai_alerts", responses=AlertSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The newest unread notifications as active alerts, newest first; an administrator's are of all users.

        That portal cannot mark anything as read: what is older than three days is left out.
        """
        assert isinstance(request.user, User)  # REST asks for authentication by default
        found = inbox.recent(user_id=None if request.user.is_superuser else request.user.pk)
        alerts = [
            openpai_alerts.alert(inbox.payload(one, one.user.get_username()), lifetime=inbox.RECENT)
            for one in found
        ]
        return Response(AlertSerializer(alerts, many=True).data)
