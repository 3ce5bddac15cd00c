"""Signing in with a browser at an OpenID Connect provider of others, which runs as a process of its own."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests import processes
from tests.browser.conftest import Visit

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = {"subject-1": "alice@corp.org", "subject-2": "mallory@evil.org"}


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The web process that signs people in at the provider; takes the place of the usual one."""
    folder, port = tmp_path_factory.mktemp("oidc"), processes.free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"]
    for subject, name in PEOPLE.items():
        command += ["--user-claims", json.dumps({"sub": subject, "preferred_username": name})]
    settings: dict[str, Any] = {
        "OIDC_ISSUER_URL": f"http://127.0.0.1:{port}",
        "OIDC_CLIENT_ID": "notifcenter",
        "OIDC_CLIENT_SECRET": "secret",
        "OIDC_USERNAME_DOMAIN": "corp.org",
        "OIDC_NAME": "Corp",
    }
    with django_db_blocker.unblock(), processes.running(command, folder / "provider.log") as provider:
        processes.wait_for(
            lambda: provider.popen.poll() is not None or processes.answers(port), what="the provider listens"
        )
        with processes.daphne(folder, **settings) as (url, _):
            yield url


@pytest.fixture
def known() -> User:
    return User.objects.create(username="alice", password="!")


def at_the_provider(page: Page) -> Page:
    """The provider's own pages want a style sheet of the internet."""
    page.route(
        re.compile(r"^(?!http://127\.0\.0\.1)"), lambda route: route.fulfill(body="", content_type="text/css")
    )
    page.get_by_role("link", name="Sign in with Corp").click()
    return page


def test_in_and_out_again(visit: Visit, site: str, known: User) -> None:
    page = at_the_provider(visit("/profile/"))
    page.get_by_role("button", name="subject-1").click()
    page.wait_for_url(f"{site}/profile/")
    expect(page.get_by_role("banner").get_by_text("alice")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Notifcenter")).to_be_visible()


def test_who_may_not(visit: Visit, known: User) -> None:
    page = at_the_provider(visit("/accounts/login/", forgive="403"))
    page.get_by_role("button", name="subject-2").click()
    expect(page.get_by_role("alert")).to_have_text("Only accounts of corp.org may sign in here.")


def test_who_thinks_better_of_it(visit: Visit, known: User) -> None:
    page = at_the_provider(visit("/accounts/login/", forgive="403"))
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in with Corp")).to_be_visible()
