"""Who may use the REST: sessions, tokens of the cluster, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from preferences.models import SiteSettings
from tests.clients import client_of, send
from tests.inbox import LIST, MARK_READ, UNREAD, ids, notify
from tests.tokens import REFUSED, SECRET, token

pytestmark = pytest.mark.django_db

METHODS = [
    ("GET", LIST), ("GET", f"{LIST}1/"), ("PATCH", f"{LIST}1/"), ("POST", MARK_READ), ("GET", UNREAD),
    ("GET", "/api/v1/preferences/"), ("PATCH", "/api/v1/preferences/"), ("GET", "/api/v1/preferences/words/"),
    ("GET", "/api/v1/jobs/"),
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

    @pytest.mark.parametrize(
        "claims", [{}, {"application": True}, {"exp": 2**31}, {"jobSpecific": False}, {"iat": None}]
    )
    def test_a_token_of_the_cluster_opens_the_owners_inbox(
        self, settings: Settings, alice: User, bob: User, claims: dict[str, Any]
    ) -> None:
        made, _ = notify(alice), notify(bob)
        assert ids(self.bearer(settings, token(**claims)).json()) == made

    def test_the_clock_of_the_rest_server_may_be_a_little_ahead(
        self, settings: Settings, alice: User
    ) -> None:
        assert self.bearer(settings, token(iat=int(time.time()) + 5)).status_code == 200

    def test_a_token_needs_no_csrf_token(self, settings: Settings, alice: User) -> None:
        notify(alice)
        settings.PAI_JWT_SECRET = SECRET
        answer = client_of(enforce_csrf_checks=True).post(
            MARK_READ, {"up_to": 10**9}, content_type="application/json",
            headers={"Authorization": f"Bearer {token()}"},
        )  # fmt: skip
        assert answer.json() == {"unread": 0}

    @pytest.mark.parametrize("case", [*REFUSED, "not ASCII", "empty"])
    def test_a_token_that_opens_nothing(self, settings: Settings, alice: User, case: str) -> None:
        """(The last two cannot be sent as the subprotocol of a websocket.)"""
        more: dict[str, tuple[Callable[[], str], str]] = {
            "not ASCII": (lambda: "ü.ü.ü", "is not valid"),
            "empty": (lambda: "", "is not valid"),
        }
        make, reason = (REFUSED | more)[case]
        answer = self.bearer(settings, make())
        assert answer.status_code == 401
        assert reason in answer.json()["detail"]
        assert answer["WWW-Authenticate"] == (
            f'Bearer error="invalid_token", error_description="{answer.json()["detail"]}"'
        )

    def test_application_tokens_can_be_switched_off(self, settings: Settings, alice: User) -> None:
        SiteSettings.objects.create(application_tokens=False)
        answer = self.bearer(settings, token(application=True))
        assert answer.status_code == 401
        assert "switched application tokens off" in answer.json()["detail"]
        assert self.bearer(settings, token()).status_code == 200

    def test_the_admin_switches_them_off(self, settings: Settings, alice: User, root: User) -> None:
        page = client_of(root).post(
            "/admin/preferences/sitesettings/add/",
            {"default_events": ["failed"], "waiting_minutes": "60", "language": "en"},
        )
        assert page.status_code == 302
        assert self.bearer(settings, token(application=True)).status_code == 401

    def test_a_token_in_the_address_is_not_looked_at(self, settings: Settings, alice: User) -> None:
        settings.PAI_JWT_SECRET = SECRET
        for name in ("token", "access_token", "bearer"):
            assert client_of().get(LIST, {name: token()}).status_code == 401

    def test_a_refused_token_is_not_made_good_by_a_session(self, settings: Settings, alice: User) -> None:
        settings.PAI_JWT_SECRET = SECRET
        assert client_of(alice).get(LIST, headers={"Authorization": "Bearer x"}).status_code == 401

    def test_without_a_secret_no_token_is_taken(self, settings: Settings, alice: User) -> None:
        settings.PAI_JWT_SECRET = ""
        answer = client_of().get(LIST, headers={"Authorization": f"Bearer {token()}"})
        assert answer.status_code == 401
        assert "PAI_JWT_SECRET is not set" in answer.json()["detail"]

    def test_a_deactivated_user_may_nothing(self, settings: Settings, alice: User) -> None:
        client = client_of(alice)
        User.objects.update(is_active=False)
        assert client.get(LIST).status_code == 401
        assert self.bearer(settings, token()).status_code == 401


@pytest.mark.parametrize(
    ("named", "status"),
    [("alice", 200), ("al%69ce", 200), (None, 200), ("bob", 401), ("", 401), ("%FF", 401)],
)
def test_a_page_of_somebody_else_gets_nothing(browser: Client, named: str | None, status: int) -> None:
    """Its user has signed out in another tab, where another one has signed in."""
    headers = {} if named is None else {"X-Notifcenter-User": named}
    assert browser.get("/api/v1/notifications/", headers=headers).status_code == status
    answer = browser.post(
        "/api/v1/notifications/mark-read/", {"up_to": 1}, "application/json", headers=headers
    )
    assert answer.status_code == status
