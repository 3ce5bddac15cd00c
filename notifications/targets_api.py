"""REST: a user's own targets."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications import own_targets
from notifications.delivery.apprise import MAX_URL_CHARACTERS
from preferences import targets
from preferences.fields import StrictChoiceField, StrictSerializer, StrictStringField
from preferences.kinds import ADDRESS_CHANNELS, Channel
from preferences.models import MAX_TARGET_NAME_CHARACTERS, Target, choices_of

ADDRESS_CHOICES = choices_of(ADDRESS_CHANNELS)


class TargetSerializer(serializers.ModelSerializer[Target]):
    class Meta:
        model = Target
        fields = (
            "id", "channel", "name", "service", "hint", "created_at", "last_ok_at", "last_error", "failing_since",
            "disabled_at",
        )  # fmt: skip


class NewTargetSerializer(StrictSerializer):
    channel = StrictChoiceField(ADDRESS_CHOICES)
    name = StrictStringField(max_length=MAX_TARGET_NAME_CHARACTERS)
    address = StrictStringField(
        max_length=MAX_URL_CHARACTERS,
        help_text="A web address, or one of Apprise's. It is kept encrypted, and never shown again.",
    )


class AddedTargetSerializer(TargetSerializer):
    """Of a webhook, `secret` is the key that signs what is sent. It is shown only here."""

    secret = serializers.SerializerMethodField()

    class Meta(TargetSerializer.Meta):
        fields = (*TargetSerializer.Meta.fields, "secret")  # type: ignore[assignment]

    def get_secret(self, target: Target) -> str:
        return str(self.context["secret"])


class TestedSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    error = serializers.CharField(help_text="'' when it has arrived.")


class TargetsView(APIView):
    @extend_schema(operation_id="targets_list", responses=TargetSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(TargetSerializer(targets.own(user_of(request)), many=True).data)

    @extend_schema(
        operation_id="targets_add",
        request=NewTargetSerializer,
        responses={status.HTTP_201_CREATED: AddedTargetSerializer},
    )
    def post(self, request: Request) -> Response:
        """Nothing is sent yet; see the test."""
        given = NewTargetSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        try:
            target, secret = own_targets.add(
                user=user_of(request),
                channel=Channel(data["channel"]),
                name=data["name"],
                address=data["address"],
            )
        except targets.TargetRefused as refused:
            raise refusal(refused) from None
        shown = AddedTargetSerializer(target, context={"secret": secret}).data
        return Response(shown, status=status.HTTP_201_CREATED)


class TargetView(APIView):
    @extend_schema(operation_id="targets_remove", responses={status.HTTP_204_NO_CONTENT: None})
    def delete(self, request: Request, target_id: int) -> Response:
        """What was still to be sent there is dropped."""
        targets.remove(_own_target(request, target_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TargetTestView(APIView):
    @extend_schema(operation_id="targets_test", request=None, responses=TestedSerializer)
    def post(self, request: Request, target_id: int) -> Response:
        """Sends a made-up notification at once, and says how it went."""
        try:
            error = own_targets.send_test(_own_target(request, target_id))
        except own_targets.TooSoonError:
            raise Throttled(wait=targets.TEST_PAUSE_SECONDS) from None
        return Response({"ok": not error, "error": error})


def user_of(request: Request) -> User:
    assert isinstance(request.user, User)  # REST asks for authentication by default
    return request.user


def refusal(refused: targets.TargetRefused) -> serializers.ValidationError:
    return serializers.ValidationError({"non_field_errors": [str(refused)]})


def _own_target(request: Request, target_id: int) -> Target:
    target = targets.own(user_of(request)).filter(pk=target_id).select_related("user").first()
    if target is None:
        raise Http404
    return target
