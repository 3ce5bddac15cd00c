"""Pages of the allowed origins may read REST and static files; others get no permission from the browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.clients import client_of

pytestmark = pytest.mark.django_db

PORTAL = "https://portal.example.org"
PATHS = [
    "/api/v1/notifications/", "/api/v1/preferences/", "/api/v2/alerts", "/api/v2/users/alice",
    "/static/notifcenter/define.js", "/static/notifcenter/tokens.css",
]  # fmt: skip


@pytest.fixture
def browser(alice: User, settings: Settings) -> Client:
    settings.CORS_ALLOWED_ORIGINS = [PORTAL]
    return client_of(alice)


@pytest.mark.parametrize("path", PATHS)
def test_only_an_allowed_origin_may_read(browser: Client, path: str) -> None:
    allowed = browser.get(path, headers={"Origin": PORTAL})
    assert allowed.status_code == 200
    assert allowed["Access-Control-Allow-Origin"] == PORTAL
    assert "Access-Control-Allow-Credentials" not in allowed
    for origin in ("https://evil.example.org", "http://portal.example.org", f"{PORTAL}.evil.example", "null"):
        assert "Access-Control-Allow-Origin" not in browser.get(path, headers={"Origin": origin})
    assert "origin" in browser.get(path)["Vary"].lower()


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "POST"])
def test_only_an_allowed_origin_may_ask_with_a_token(browser: Client, method: str) -> None:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
    allowed = browser.options("/api/v1/preferences/", headers={"Origin": PORTAL, **asked})
    assert allowed["Access-Control-Allow-Origin"] == PORTAL
    assert method in allowed["Access-Control-Allow-Methods"]
    assert "authorization" in allowed["Access-Control-Allow-Headers"]
    foreign = browser.options("/api/v1/preferences/", headers={"Origin": "https://evil.example", **asked})
    assert "Access-Control-Allow-Origin" not in foreign


def test_pages_are_for_no_other_origin(browser: Client) -> None:
    for path in ("/", "/profile/", "/accounts/login/"):
        assert "Access-Control-Allow-Origin" not in browser.get(path, headers={"Origin": PORTAL})
