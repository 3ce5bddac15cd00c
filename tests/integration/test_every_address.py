"""Who may open what: asked of every address there is, so that a new one cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from pytest_django import Settings

from tests.clients import client_of, send
from tests.tokens import SECRET, token

pytestmark = pytest.mark.django_db

OTHERS = "/api/v1/ingest/"
"""These have a token of their own."""

OPEN = {"login", "logout", "healthz", "metrics", "unsubscribe", "schema", "docs"}
METHODS = ("get", "put", "post", "patch", "delete")
EXAMPLES = {"notification_id": "1", "target_id": "1"}


@cache
def operations() -> list[tuple[str, str]]:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]  # type: ignore[no-untyped-call]
    return [
        (method.upper(), re.sub(r"\{(\w+)\}", lambda name: EXAMPLES.get(name[1], "alice"), path))
        for path, methods in paths.items()
        for method in methods
        if method in METHODS and not path.startswith(OTHERS)
    ]


def pages(resolver: Any = None, before: str = "") -> Iterator[tuple[str, str]]:
    """Name and address of what is neither REST nor the admin."""
    for one in (resolver or get_resolver()).url_patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver) and not path.startswith("admin"):
            yield from pages(one, path)
        elif isinstance(one, URLPattern) and not path.startswith(("api/", "^api/")):
            yield str(one.name), "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda n: EXAMPLES.get(n[1], "x"), path)


def test_rest_opens_to_active_users_only(settings: Settings, alice: User) -> None:
    settings.PAI_JWT_SECRET = SECRET
    gone = client_of(alice)
    User.objects.update(is_active=False)
    bearers = [token(), token(jobSpecific=True), token(username="nobody"), "x"]
    assert len(operations()) > 15
    for method, path in operations():
        answers = {
            "stranger": send(client_of(), method, path, {}),
            "deactivated": send(gone, method, path, {}),
            **{
                one: client_of().generic(method, path, headers={"Authorization": f"Bearer {one}"})
                for one in bearers
            },
        }
        assert {who: answer.status_code for who, answer in answers.items()} == dict.fromkeys(answers, 401), (
            path
        )


def test_rest_changes_nothing_for_another_site(alice: User) -> None:
    browser = client_of(alice, enforce_csrf_checks=True)
    for method, path in operations():
        if method != "GET":
            answer = browser.generic(method, path, "{}", content_type="text/plain")
            assert answer.status_code == 403, (method, path)
            assert "CSRF" in answer.json()["detail"]


def test_pages_open_to_those_who_have_signed_in(alice: User) -> None:
    found = dict(pages())
    assert OPEN - {"schema", "docs"} <= set(found)
    for name, path in found.items():
        if name in OPEN:
            continue
        for method in ("GET", "POST"):
            answer = client_of().generic(method, path)
            assert answer.status_code in (302, 405), (method, path)
            sign_in = "/admin/login/" if path.startswith("/admin/") else "/accounts/login/"
            assert answer.status_code == 405 or answer["Location"].startswith(f"{sign_in}?next=")


def test_pages_change_nothing_for_another_site(alice: User) -> None:
    browser = client_of(alice, enforce_csrf_checks=True)
    for name, path in pages():
        if name not in OPEN - {"logout"}:
            assert browser.post(path, {}).status_code in (403, 405), path
