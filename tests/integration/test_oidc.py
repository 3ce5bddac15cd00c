"""Signing in at a provider, over real connections between a browser, a web process of ours and the provider."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import ProviderAccount
from tests import processes
from tests.clients import client_of
from tests.oidc import CLIENT_ID, CLIENT_SECRET, Person, Provider, provider
from tests.oidc_answers import BAD

pytestmark = pytest.mark.django_db(transaction=True)

INBOX, PROFILE = "/", "/profile/"


@pytest.fixture(scope="module")
def started() -> Iterator[Provider]:
    with provider() as one:
        yield one


@pytest.fixture(scope="module")
def process(
    started: Provider,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, processes.Process]]:
    folder = tmp_path_factory.mktemp("oidc")
    (folder / "secret").write_text(CLIENT_SECRET)
    with (
        django_db_blocker.unblock(),
        processes.daphne(
            folder,
            OIDC_ISSUER_URL=started.url,
            OIDC_CLIENT_ID=CLIENT_ID,
            OIDC_CLIENT_SECRET_FILE=str(folder / "secret"),
            OIDC_NAME="Example <Corp>",
        ) as web,
    ):
        yield web


@pytest.fixture
def site(process: tuple[str, processes.Process]) -> str:
    return process[0]


@pytest.fixture
def good(started: Provider) -> Provider:
    started.behave()
    return started


@pytest.fixture
def alice() -> User:
    return User.objects.create(username="alice", password="!")


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_signing_in(site: str, good: Provider, alice: User) -> None:
    person = Person(site)
    assert person.name == ""
    answer = person.sign_in()
    assert (answer.status_code, answer.headers["Location"]) == (302, INBOX)
    assert person.name == "alice"
    assert ProviderAccount.objects.get().issuer == good.url
    (asked,) = good.asked_for
    assert asked["redirect_uri"] == f"{site}/accounts/oidc/callback/"
    assert asked["scope"] == "openid profile email"
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 20
    assert len(asked["nonce"]) >= 20


def test_the_login_page_shows_the_way(site: str, good: Provider) -> None:
    page = Person(site).get(f"{site}/accounts/login/?{urlencode({'next': '/jobs/?q=a&b=1'})}").text
    assert "Sign in with Example &lt;Corp&gt;" in page
    assert 'href="/accounts/oidc/?next=%2Fjobs%2F%3Fq%3Da%26b%3D1"' in page


def test_who_is_signed_in_needs_no_provider(site: str, good: Provider, alice: User) -> None:
    person = Person(site)
    person.sign_in()
    answer = person.get(f"{site}/accounts/oidc/?next=/profile/")
    assert (answer.status_code, answer.headers["Location"]) == (302, PROFILE)


def test_the_session_is_a_new_one(site: str, good: Provider, alice: User) -> None:
    person = Person(site)
    back = person.back_again()
    before = person.browser.cookies["sessionid"]
    person.get(back)
    assert person.name == "alice"
    assert person.browser.cookies["sessionid"] != before


@pytest.mark.parametrize(
    ("next_url", "goes_to"),
    [
        (PROFILE, PROFILE), ("/jobs/?q=a&b=1", "/jobs/?q=a&b=1"), ("", INBOX), ("https://evil.example.org/", INBOX),
        ("//evil.example.org/", INBOX), ("/\\evil.example.org", INBOX), ("javascript:alert(1)", INBOX),
        ("http:evil.example.org", INBOX), ("word", INBOX), ("/" * 3000, INBOX), ("/profile/" + "x" * 3000, INBOX),
    ],
)  # fmt: skip
def test_afterwards_to_own_pages_only(
    site: str, good: Provider, alice: User, next_url: str, goes_to: str
) -> None:
    assert Person(site).sign_in(next_url).headers["Location"] == goes_to


def test_answers_that_sign_nobody_in(
    process: tuple[str, processes.Process], good: Provider, alice: User
) -> None:
    site, web = process
    told: dict[str, tuple[int, str, str]] = {}
    for case, (set_up, _) in BAD.items():
        good.behave()
        set_up(good)
        person = Person(site)
        answer = person.sign_in()
        told[case] = answer.status_code, person.name, answer.text
    wrong = [
        (case, status, who, text)
        for case, (status, who, text) in told.items()
        if status not in (403, 503) or who or BAD[case][1] not in text or "<img src=x" in text
    ]
    assert wrong == []
    assert not ProviderAccount.objects.exists()
    assert "Traceback" not in web.log
    assert CLIENT_SECRET not in web.log


def test_a_code_is_taken_once_and_only_where_the_sign_in_was_begun(
    site: str, good: Provider, alice: User
) -> None:
    begun, other = Person(site), Person(site)
    back = begun.back_again()
    stolen = other.get(back)  # a link that an attacker sends, or a stolen one
    assert (stolen.status_code, other.name) == (403, "")
    assert "was not begun in this browser" in stolen.text
    wrong_state = begun.get(back.replace("state=", "state=x"))
    assert (wrong_state.status_code, begun.name) == (403, "")
    assert begun.get(back).status_code == 302
    assert begun.name == "alice"
    again = begun.get(back)
    assert again.status_code == 403
    assert "finished before" in again.text


@pytest.mark.parametrize(
    "query", ["", "?state=x", "?code=x", "?error=access_denied", "?state=&code=", "?state=%00"]
)
def test_a_callback_out_of_the_blue(site: str, good: Provider, query: str) -> None:
    answer = Person(site).get(f"{site}/accounts/oidc/callback/{query}")
    assert answer.status_code == 403
    assert "was not begun in this browser" in answer.text


def test_the_provider_refuses(site: str, good: Provider, alice: User) -> None:
    person = Person(site)
    state = query_of(person.to_the_provider())["state"]
    said = {"error": "access_denied", "error_description": "<script>alert(1)</script>", "state": state}
    answer = person.get(f"{site}/accounts/oidc/callback/?{urlencode(said)}")
    assert answer.status_code == 403
    assert "The provider has refused the sign-in (access_denied)." in answer.text
    assert "<script>alert" not in answer.text


def test_many_begun_in_one_browser_do_not_pile_up(site: str, good: Provider, alice: User) -> None:
    person = Person(site)
    first = person.back_again()
    backs = [person.back_again() for _ in range(12)]
    session = Session.objects.get(session_key=person.browser.cookies["sessionid"]).get_decoded()
    assert len(session) == 10
    assert person.get(first).status_code == 403
    assert person.get(backs[-1]).status_code == 302
    assert person.name == "alice"


def test_the_name_may_come_from_userinfo(site: str, good: Provider, alice: User) -> None:
    good.claims = {"sub": "x"}
    good.userinfo = {"sub": "x", "preferred_username": "alice"}
    person = Person(site)
    person.sign_in()
    assert person.name == "alice"


def test_deactivated_means_signed_out(site: str, good: Provider, alice: User) -> None:
    person = Person(site)
    person.sign_in()
    User.objects.update(is_active=False)
    assert person.name == ""
    again = person.sign_in()
    assert again.status_code == 403
    assert "This user has been deactivated." in again.text


class TestOtherSettings:
    def site(self, tmp_path: Any, issuer: str, **more: Any) -> Any:
        return processes.daphne(
            tmp_path,
            OIDC_ISSUER_URL=issuer,
            OIDC_CLIENT_ID=CLIENT_ID,
            OIDC_CLIENT_SECRET=CLIENT_SECRET,
            **more,
        )

    def test_a_provider_that_cannot_be_asked_and_then_can(
        self, tmp_path: Any, good: Provider, alice: User
    ) -> None:
        """And one that takes the secret in the body only, with accounts of a domain."""
        good.metadata = {"issuer": "https://evil.example.org"}
        with self.site(tmp_path, good.url, OIDC_USERNAME_DOMAIN="corp.org") as (site, web):
            answer = Person(site).get(f"{site}/accounts/oidc/")
            assert answer.status_code == 403
            assert "OIDC_ISSUER_URL: the provider calls itself" in web.log
            good.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
            good.claims = {"sub": "x", "preferred_username": "alice@evil.org"}
            assert "Only accounts of corp.org" in Person(site).sign_in().text
            good.claims = {"sub": "x", "preferred_username": "Alice@corp.org"}
            person = Person(site)
            person.sign_in()
            assert person.name == "alice"

    def test_nobody_answers(self, tmp_path: Any) -> None:
        with self.site(tmp_path, f"http://127.0.0.1:{processes.free_port()}") as (site, web):
            answer = Person(site).get(f"{site}/accounts/oidc/")
            assert answer.status_code == 503
            assert "Try again later." in answer.text
            assert "Sign in with single sign-on" in answer.text
            assert "Traceback" not in web.log


def test_off_by_default() -> None:
    for path in ("/accounts/oidc/", "/accounts/oidc/callback/"):
        assert client_of().get(path).status_code == 404
    assert b"single sign-on" not in client_of().get("/accounts/login/").content
    code = (
        "import sys, django; django.setup(); import notifcenter.urls, notifcenter.asgi; "
        "print([name for name in ('authlib', 'joserfc', 'accounts.oidc') if name in sys.modules])"
    )
    env = processes.environment(DJANGO_SETTINGS_MODULE="notifcenter.settings")
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=processes.ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert answer.stdout.strip() == "[]", answer.stderr
