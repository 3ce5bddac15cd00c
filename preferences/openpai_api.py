"""REST as OpenPAI's portal knows it: a user with the two switches of the profile page.

Shapes: OpenPAI v1.8, `src/rest-server/src/routes/v2/user.js`, `config/v2/user.js`, `controllers/v2/user.js`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from preferences import selectors, services
from preferences.fields import AddressField, StrictBooleanField, StrictSerializer
from preferences.kinds import Channel

CHOICE = "getJobStatusChangeNotificationBy"
CHANNELS = (Channel.EMAIL, Channel.WEBPORTAL)
MYSELF = "me"
KEPT_ELSEWHERE = "This is kept by OpenPAI's REST server; change it there."
_ABSENT = object()


class ChoiceSerializer(StrictSerializer):
    """The master switches of the channels that the portal knows."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {channel.value: StrictBooleanField(required=False) for channel in CHANNELS}


class ExtensionSerializer(StrictSerializer):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {CHOICE: ChoiceSerializer(required=False)}

    def _refusal(self, name: str) -> str:
        return KEPT_ELSEWHERE


class UserSerializer(serializers.Serializer[Any]):
    """Groups, virtual clusters and storages are kept by OpenPAI alone, and empty here."""

    username = serializers.CharField()
    email = serializers.CharField()
    admin = serializers.BooleanField()
    grouplist = serializers.ListField(child=serializers.CharField())
    virtualCluster = serializers.ListField(child=serializers.CharField())  # noqa: N815 - OpenPAI's name
    storageConfig = serializers.ListField(child=serializers.CharField())  # noqa: N815 - OpenPAI's name
    extension = ExtensionSerializer()


class UserChangeSerializer(StrictSerializer):
    """Takes only what is kept here: a new password that silently goes nowhere would be worse than an error."""

    email = AddressField(required=False)
    extension = ExtensionSerializer(required=False)

    def _refusal(self, name: str) -> str:
        return KEPT_ELSEWHERE


class EnvelopeSerializer(serializers.Serializer[Any]):
    """`patch` says nothing: what is left out always stays as it is."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"data": UserChangeSerializer(), "patch": serializers.BooleanField(required=False)}


class DoneSerializer(UserSerializer):
    message = serializers.CharField()


class AnyBodyIsJSON(DefaultContentNegotiation):
    """The portal sends JSON without saying so, which browsers label text/plain."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))


class UserView(APIView):
    """A user as the portal's profile page reads and writes it; one's own, for an administrator anybody's."""

    content_negotiation_class = AnyBodyIsJSON

    @extend_schema(operation_id="openpai_user_read", responses=UserSerializer)
    def get(self, request: Request, username: str) -> Response:
        return Response(_representation(_user(request, username)))

    @extend_schema(
        operation_id="openpai_user_change", request=EnvelopeSerializer, responses={201: DoneSerializer}
    )
    def put(self, request: Request, username: str) -> Response:
        """With or without the envelope `data`. What is left out stays; what the user has already is accepted."""
        user = _user(request, username)
        given = _given(request.data, _representation(user))
        services.save_preferences(
            user=user,
            email_address=given.get("email", services.UNSET),
            channels={
                Channel(name): services.ChannelChange(enabled=on)
                for name, on in given.get("extension", {}).get(CHOICE, {}).items()
            },
        )
        message = f"Update user {user.username} successfully"
        return Response({"message": message, **_representation(user)}, status=status.HTTP_201_CREATED)


def _user(request: Request, username: str) -> User:
    viewer = request.user
    assert isinstance(viewer, User)  # REST asks for authentication by default
    if username in (viewer.username, MYSELF):
        return viewer
    known = viewer.is_superuser and username.isprintable()
    user = User.objects.filter(username=username).first() if known else None
    if user is None:
        raise Http404
    return user


def _given(body: Any, present: Mapping[str, Any]) -> dict[str, Any]:
    """The change that a body asks for. Raises ValidationError for what cannot be changed here."""
    change = body["data"] if isinstance(body, Mapping) and "data" in body else body
    if isinstance(change, Mapping):
        change = {name: value for name, value in change.items() if present.get(name, _ABSENT) != value}
    given = UserChangeSerializer(data=change)
    given.is_valid(raise_exception=True)
    data: dict[str, Any] = given.validated_data
    return data


def _representation(user: User) -> dict[str, Any]:
    profile = selectors.profile(user=user)
    return {
        "username": user.username,
        "email": profile.email_address,
        "admin": user.is_superuser,
        "grouplist": [],
        "virtualCluster": [],
        "storageConfig": [],
        "extension": {
            CHOICE: {c.channel.value: c.enabled for c in profile.channels if c.channel in CHANNELS}
        },
    }
