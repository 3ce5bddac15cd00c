"""Who may use the REST: sessions, tokens of the cluster, and nobody else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from tests.clients import client_of, send
from tests.inbox import LIST, MARK_READ, UNREAD, ids, notify

pytestmark = pytest.mark.django_db

SECRET = "a-secret-of-the-cluster-that-is-long-enough-for-its-tokens"
METHODS = [
    ("GET", LIST), ("GET", f"{LIST}1/"), ("PATCH", f"{LIST}1/"), ("POST", MARK_READ), ("GET", UNREAD),
    ("GET", "/api/v1/preferences/"), ("PATCH", "/api/v1/preferences/"), ("GET", "/api/v1/jobs/"),
    ("GET", "/api/v1/jobs/x/notification-config/"), ("PATCH", "/api/v1/jobs/x/notification-config/"),
    ("DELETE", "/api/v1/jobs/x/notification-config/"),
]  # fmt: skip


class TestWhoMay:
    @pytest.mark.parametrize(("method", "path"), METHODS)
    def test_a_stranger_may_nothing(self, method: str, path: str) -> None:
        answer = send(client_of(), method, path, {})
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize(("method", "path"), [one for one in METHODS if one[0] != "GET"])
    def test_a_session_without_the_csrf_token_may_change_nothing(
        self, alice: User, method: str, path: str
    ) -> None:
        answer = send(client_of(alice, enforce_csrf_checks=True), method, path, {})
        assert answer.status_code == 403
        assert "CSRF" in answer.json()["detail"]

    def test_a_session_with_the_csrf_token_may(self, alice: User) -> None:
        notify(alice)
        client = client_of(alice, enforce_csrf_checks=True)
        client.get("/")
        answer = client.post(
            MARK_READ, {"up_to": 10**9}, content_type="application/json",
            headers={"X-CSRFToken": client.cookies["csrftoken"].value},
        )  # fmt: skip
        assert answer.json() == {"unread": 0}

    def bearer(self, settings: Settings, token: str, path: str = LIST) -> Any:
        settings.PAI_JWT_SECRET = SECRET
        return client_of(enforce_csrf_checks=True).get(path, headers={"Authorization": f"Bearer {token}"})

    def token(self, secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
        return jwt.encode({"username": "alice", "application": False, **claims}, secret, algorithm=algorithm)

    @pytest.mark.parametrize("claims", [{}, {"application": True}, {"exp": 2**31}, {"jobSpecific": False}])
    def test_a_token_of_the_cluster_opens_the_owners_inbox(
        self, settings: Settings, alice: User, bob: User, claims: dict[str, Any]
    ) -> None:
        made, _ = notify(alice), notify(bob)
        assert ids(self.bearer(settings, self.token(**claims)).json()) == made

    def test_a_token_needs_no_csrf_token(self, settings: Settings, alice: User) -> None:
        notify(alice)
        settings.PAI_JWT_SECRET = SECRET
        answer = client_of(enforce_csrf_checks=True).post(
            MARK_READ, {"up_to": 10**9}, content_type="application/json",
            headers={"Authorization": f"Bearer {self.token()}"},
        )  # fmt: skip
        assert answer.json() == {"unread": 0}

    REFUSED: dict[str, Callable[[TestWhoMay], str]] = {
        "expired": lambda self: self.token(exp=1),
        "another secret": lambda self: self.token("another-secret-that-is-long-enough-for-it"),
        "another algorithm": lambda self: self.token(SECRET * 2, algorithm="HS512"),
        "no algorithm": lambda self: jwt.encode({"username": "alice"}, "", algorithm="none"),
        "a job's token": lambda self: self.token(jobSpecific=True),
        "unknown user": lambda self: self.token(username="nobody"),
        "no user": lambda self: self.token(username=""),
        "a user that is no text": lambda self: self.token(username=["alice"]),
        "a user with a NUL": lambda self: self.token(username="alice\x00"),
        "rubbish": lambda self: "rubbish",
        "not ASCII": lambda self: "ü.ü.ü",
        "empty": lambda self: "",
        "deeply nested": lambda self: deep_header() + ".e30.c2ln",
        "too long": lambda self: "x" * 100_000,
    }

    @pytest.mark.parametrize("case", REFUSED)
    def test_a_token_that_opens_nothing(self, settings: Settings, alice: User, case: str) -> None:
        answer = self.bearer(settings, self.REFUSED[case](self))
        assert answer.status_code == 401
        assert answer.json()["detail"]

    def test_a_refused_token_is_not_made_good_by_a_session(self, settings: Settings, alice: User) -> None:
        settings.PAI_JWT_SECRET = SECRET
        assert client_of(alice).get(LIST, headers={"Authorization": "Bearer x"}).status_code == 401

    def test_without_a_secret_no_token_is_taken(self, settings: Settings, alice: User) -> None:
        settings.PAI_JWT_SECRET = ""
        answer = client_of().get(LIST, headers={"Authorization": f"Bearer {self.token()}"})
        assert answer.status_code == 401
        assert "PAI_JWT_SECRET is not set" in answer.json()["detail"]

    def test_a_deactivated_user_may_nothing(self, settings: Settings, alice: User) -> None:
        client = client_of(alice)
        User.objects.update(is_active=False)
        assert client.get(LIST).status_code == 401
        assert self.bearer(settings, self.token()).status_code == 401


def deep_header() -> str:
    return base64.urlsafe_b64encode(b'{"a":' * 1_100).decode().rstrip("=")
