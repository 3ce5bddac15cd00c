"""What a person sees when something is not there, not allowed, not understood, or broken."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from tests.clients import client_of

BRAND = "Notifcenter"


def shown(answer: Any, status: int) -> str:
    assert answer.status_code == status
    page: str = answer.content.decode()
    assert BRAND in page
    assert "<h1>" in page
    return page


def test_what_is_not_there_says_where_to_go(browser: Client) -> None:
    assert "your inbox" in shown(browser.get("/jobs/unknown/"), 404)
    assert "sign in" in shown(client_of().get("/unknown"), 404)


def test_a_form_from_elsewhere(alice: User) -> None:
    browser = client_of(alice, enforce_csrf_checks=True)
    assert "Nothing was changed" in shown(browser.post("/profile/", {}), 403)


def test_what_only_others_may(alice: User) -> None:
    alice.is_staff = True
    alice.save()
    assert "not allowed" in shown(client_of(alice).get("/admin/auth/user/"), 403)


def test_a_form_that_is_too_large(browser: Client) -> None:
    form = {"email_address": "x" * 2_000_000}
    assert "too large" in shown(browser.post("/profile/", form), 400)


@pytest.mark.django_db(transaction=True)
def test_a_fault_of_ours_needs_no_database_to_be_told(alice: User) -> None:
    browser = client_of(alice, raise_request_exception=False)
    with connection.execute_wrapper(_broken):
        assert "our fault" in shown(browser.get("/"), 500)


def _broken(*_: Any) -> None:
    raise RuntimeError
