"""A user asks for a test mail: a form of the profile page, and REST."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.delivery.test_mail import Answer, send_test_mail

STATUS = {
    Answer.TAKEN: status.HTTP_200_OK,
    Answer.REFUSED: status.HTTP_200_OK,
    Answer.UNAVAILABLE: status.HTTP_409_CONFLICT,
    Answer.TOO_SOON: status.HTTP_429_TOO_MANY_REQUESTS,
}


@require_POST
@login_required
def test_mail(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    outcome = send_test_mail(request.user)
    messages.add_message(request, messages.SUCCESS if outcome.accepted else messages.ERROR, outcome.detail)
    return redirect("profile")


class TestMailSerializer(serializers.Serializer[Any]):
    accepted = serializers.BooleanField(help_text="Whether the mail server has taken it.")
    detail = serializers.CharField()


class TestMailView(APIView):
    """Send a test mail to the signed-in user's address. When the mail server takes it, mails go out there again."""

    @extend_schema(
        operation_id="preferences_test_mail",
        request=None,
        responses={
            200: TestMailSerializer,
            409: TestMailSerializer,
            429: TestMailSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """409 when e-mail is not available to the user, 429 when the last one was a moment ago."""
        assert isinstance(request.user, User)  # REST asks for authentication by default
        outcome = send_test_mail(request.user)
        return Response(
            {"accepted": outcome.accepted, "detail": outcome.detail}, status=STATUS[outcome.answer]
        )
