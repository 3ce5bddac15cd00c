"""Who may open what: asked of every address there is, so that a new one cannot be forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from notifications.models import PollerState
from tests.addresses import (
    BODIES,
    METHODS,
    WHO,
    Row,
    addresses,
    admin_path,
    admin_patterns,
    all_of,
    rows,
    scene,
)
from tests.clients import client_of
from tests.push import CONTACT, KEY
from tests.tokens import SECRET, token

pytestmark = pytest.mark.django_db

NO_SESSION = ("/unsubscribe/", "/api/v1/ingest/", "/api/v1/push-subscriptions/renew/")
"""Posted to without one: the address is signed, or the token is the program's own, or the secret a browser's."""


@pytest.fixture
def people(
    settings: Settings, alice: User, bob: User, root: User
) -> dict[str, tuple[Client, dict[str, str]]]:
    """For each of WHO a browser, and the headers that it sends along."""
    settings.PAI_JWT_SECRET = SECRET
    settings.INGEST_TOKEN = settings.METRICS_TOKEN = "of-their-own"
    settings.VAPID_PRIVATE_KEY, settings.VAPID_CONTACT = KEY, CONTACT
    scene(alice)
    PollerState.objects.all().delete()  # one that has just been stopped would count as at work
    job = {"Authorization": f"Bearer {token(jobSpecific=True, encodedFrameworkName='job-of-alice')}"}
    return {
        "stranger": (client_of(), {}),
        "job": (client_of(), job),
        "gone": (client_of(alice), {}),
        "other": (client_of(bob), {}),
        "owner": (client_of(alice), {}),
        "admin": (client_of(root), {}),
    }


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(client: Client, method: str, path: str, body: Any, headers: dict[str, str]) -> int:
    if path.startswith("/api/"):
        data, kind = json.dumps(body), "application/json"
    else:
        data, kind = urlencode(body), "application/x-www-form-urlencoded"
    status: int = client.generic(method, path, data, content_type=kind, headers=headers).status_code
    return status


def test_every_address_is_in_the_table() -> None:
    listed = {row.address for row in rows()}
    missing = sorted(set(addresses()) - listed)
    assert not missing, (
        f"Nobody has said who may use {missing}: add a line for each of their methods to ADDRESSES in "
        "tests/addresses.py; how is said at its top."
    )
    assert not listed - set(addresses()), "These are in tests/addresses.py, but are no addresses any more."


def test_who_may_do_what(people: dict[str, tuple[Client, dict[str, str]]], alice: User) -> None:
    before, wrong = all_of(alice), {}
    for row in rows():
        path, answers = row.path(), {}
        for who in WHO:
            client, headers = people[who]
            with undone():
                if who == "gone":
                    User.objects.filter(pk=alice.pk).update(is_active=False)
                answers[who] = ask(client, row.method, path, BODIES.get(row.key, dict)(), headers)
                if who == "gone":
                    User.objects.filter(pk=alice.pk).update(is_active=True)
                if who not in ("owner", "admin") and not path.startswith("/unsubscribe/"):
                    assert all_of(alice) == before, f"{row.key}: {who} has changed what is alice's"
        if answers != row.answers:
            wrong[row.key] = {
                who: (row.answers[who], now) for who, now in answers.items() if now != row.answers[who]
            }
    assert not wrong, f"(what the table says, what was answered): {wrong}"


def test_no_method_is_left_out_of_the_table(people: dict[str, tuple[Client, dict[str, str]]]) -> None:
    """What is not in the table is not there, also for an administrator and the owner."""
    listed, found = {row.key for row in rows()}, {}
    for address in set(addresses()):
        for row in (Row(method, address, {}) for method in METHODS):
            if row.key in listed:
                continue
            for who in ("owner", "admin"):
                client, headers = people[who]
                with undone():
                    status = ask(client, row.method, row.path(), {}, headers)
                # 401: the door asks for its own token before it looks at the method
                if status not in (401, 404, 405):
                    found[row.key] = status
    assert not found, "Add lines for these to ADDRESSES in tests/addresses.py."


def test_nothing_is_changed_for_another_site(people: Any, alice: User) -> None:
    """The browser sends the cookie of the session along from any page; a form cannot send the CSRF token."""
    browser = client_of(alice, enforce_csrf_checks=True)
    before = all_of(alice)
    for row in rows():
        if row.method == "GET" or row.address.startswith(NO_SESSION):
            continue
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json"):
            answer = browser.generic(row.method, row.path(), "{}", content_type=content_type)
            assert answer.status_code in (403, 415), (row.key, content_type)
    assert all_of(alice) == before


def test_pages_lead_to_the_sign_in_and_back(people: Any) -> None:
    for row in rows():
        if row.answers["stranger"] == 302 and row.address != "/accounts/logout/":
            answer = client_of().generic(row.method, row.path())
            assert answer["Location"].startswith("/accounts/login/?next="), row.key


def test_other_kinds_of_tokens_open_nothing(people: Any) -> None:
    User.objects.filter(username="bob").update(is_active=False)
    for one in (token(username="bob"), token(username="nobody"), "x"):
        for row in rows():
            if row.answers["stranger"] == 401 and row.method == "GET":
                headers = {"Authorization": f"Bearer {one}"}
                assert ask(client_of(), row.method, row.path(), {}, headers) == 401, row.key


def test_the_admin_is_for_staff_only(people: dict[str, tuple[Client, dict[str, str]]]) -> None:
    patterns = {re.sub(r"<[^>]*>|\(.*$", "1", one).removesuffix("$") for one in admin_patterns()}
    assert len(patterns) > 50
    open_to_all = {f"{admin_path()}{page}/" for page in ("login", "logout")}
    for path in sorted(patterns - open_to_all):
        for who in ("stranger", "job", "other", "owner"):
            client, headers = people[who]
            for method in ("GET", "POST"):
                answer = client.generic(method, path, headers=headers)
                assert answer.status_code == 302, (who, method, path)
                assert answer["Location"].startswith(f"{admin_path()}login/?next="), (who, method, path)
