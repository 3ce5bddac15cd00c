"""REST: a user's own browsers. What it shares with other targets (removing, trying) is in `targets_api`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications import own_browsers
from notifications.delivery.web_address import MAX_URL_CHARACTERS
from notifications.targets_api import TargetSerializer, refusal, user_of
from preferences import browsers
from preferences.fields import StrictSerializer, StrictStringField
from preferences.models import MAX_TARGET_NAME_CHARACTERS
from preferences.targets import TargetRefused

MAX_KEY_CHARACTERS = 200


class KeysSerializer(StrictSerializer):
    p256dh = StrictStringField(max_length=MAX_KEY_CHARACTERS)
    auth = StrictStringField(max_length=MAX_KEY_CHARACTERS)


class SubscriptionSerializer(StrictSerializer):
    """What PushSubscription.toJSON() gives."""

    endpoint = StrictStringField(max_length=MAX_URL_CHARACTERS)
    expirationTime = serializers.FloatField(  # noqa: N815 - the browser's own name
        required=False, allow_null=True, help_text="Not used."
    )
    keys = KeysSerializer()


class NewBrowserSerializer(SubscriptionSerializer):
    name = StrictStringField(
        required=False,
        max_length=MAX_TARGET_NAME_CHARACTERS,
        help_text="Left out: what the User-Agent header says of the browser.",
    )


class OldSubscriptionSerializer(StrictSerializer):
    endpoint = StrictStringField(max_length=MAX_URL_CHARACTERS)
    auth = StrictStringField(max_length=MAX_KEY_CHARACTERS)


class RenewalSerializer(StrictSerializer):
    old = OldSubscriptionSerializer()
    new = SubscriptionSerializer()


class BrowserSerializer(TargetSerializer):
    class Meta(TargetSerializer.Meta):
        fields = (*TargetSerializer.Meta.fields, "digest")  # type: ignore[assignment]


class BrowsersSerializer(serializers.Serializer[Any]):
    application_server_key = serializers.CharField(
        help_text="For PushManager.subscribe; '' where none is set."
    )
    subscriptions = BrowserSerializer(
        many=True, help_text="`digest`: SHA-256 of the endpoint, in hexadecimal."
    )


class BrowsersView(APIView):
    @extend_schema(operation_id="push_subscriptions_list", responses=BrowsersSerializer)
    def get(self, request: Request) -> Response:
        return Response(
            {
                "application_server_key": own_browsers.application_server_key(),
                "subscriptions": BrowserSerializer(browsers.of(user_of(request)), many=True).data,
            }
        )

    @extend_schema(
        operation_id="push_subscriptions_add",
        request=NewBrowserSerializer,
        responses={status.HTTP_201_CREATED: BrowserSerializer},
    )
    def post(self, request: Request) -> Response:
        """The same browser again stays one; who has used it before is told there no longer."""
        given = NewBrowserSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            target = own_browsers.add(
                user=user_of(request),
                subscription=given.validated_data,
                user_agent=request.headers.get("User-Agent", ""),
                name=given.validated_data.get("name", ""),
            )
        except TargetRefused as refused:
            raise refusal(refused) from None
        return Response(BrowserSerializer(target).data, status=status.HTTP_201_CREATED)


class RenewalView(APIView):
    """For the service worker, which may act when nobody is signed in: the browser's own secret proves who it is."""

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes: Sequence[type[BasePermission]] = (AllowAny,)

    @extend_schema(
        operation_id="push_subscriptions_renew",
        request=RenewalSerializer,
        responses={status.HTTP_204_NO_CONTENT: None},
    )
    def post(self, request: Request) -> Response:
        """The browser's subscription has been replaced (`pushsubscriptionchange`)."""
        given = RenewalSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        old, new = given.validated_data["old"], given.validated_data["new"]
        try:
            found = own_browsers.renew(endpoint=old["endpoint"], auth=old["auth"], subscription=new)
        except TargetRefused as refused:
            raise refusal(refused) from None
        if not found:
            raise Http404
        return Response(status=status.HTTP_204_NO_CONTENT)
