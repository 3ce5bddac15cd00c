"""Which user of the cluster a provider's account is, and which it must not become."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from accounts.matching import SignInRefusedError, user_of, username_of
from accounts.models import ClusterAccount, ProviderAccount
from tests.clients import client_of
from tests.wishes import met_by_a_job

ISSUER = "https://login.example.org"

NAMES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a plain name": ({"preferred_username": "alice"}, "preferred_username", "", "alice"),
    "of the domain": ({"upn": "alice@corp.org"}, "upn", "corp.org", "alice"),
    "of the domain, in capitals": ({"upn": "Al.Ice@CORP.org"}, "upn", "corp.org", "Al.Ice"),
    "a verified address": ({"email": "alice@corp.org", "email_verified": True}, "email", "corp.org", "alice"),
}


@pytest.mark.parametrize("case", NAMES)
def test_the_name_that_the_claims_stand_for(case: str) -> None:
    claims, claim, domain, expected = NAMES[case]
    assert username_of(claims, claim=claim, domain=domain) == expected


NO_NAMES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "absent": ({"email": "alice@corp.org"}, "preferred_username", "", "does not tell your user name"),
    "no text": ({"preferred_username": ["alice"]}, "preferred_username", "", "does not tell your user name"),
    "empty": ({"preferred_username": ""}, "preferred_username", "", "does not tell your user name"),
    "a guest of another domain": ({"upn": "alice@evil.org"}, "upn", "corp.org", "Only accounts of corp.org"),
    "a domain that ends alike": ({"upn": "alice@notcorp.org"}, "upn", "corp.org", "Only accounts of corp.org"),
    "a domain below": ({"upn": "alice@x.corp.org"}, "upn", "corp.org", "Only accounts of corp.org"),
    "no domain": ({"upn": "alice"}, "upn", "corp.org", "Only accounts of corp.org"),
    "two domains": ({"upn": "alice@evil.org@corp.org"}, "upn", "corp.org", "is no user name"),
    "nothing before the domain": ({"upn": "@corp.org"}, "upn", "corp.org", "is no user name"),
    "a domain that nobody asked for": ({"upn": "alice@corp.org"}, "upn", "", "is no user name"),
    "hostile": ({"upn": "<img src=x>"}, "upn", "", "is no user name"),
    "other letters that look alike": ({"upn": "аlice"}, "upn", "", "is no user name"),
    "an unverified address": ({"email": "alice@corp.org"}, "email", "corp.org", "has not verified"),
    "an address verified by a word": (
        {"email": "alice@corp.org", "email_verified": "true"}, "email", "corp.org", "has not verified"),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_NAMES)
def test_claims_that_name_nobody(case: str) -> None:
    claims, claim, domain, reason = NO_NAMES[case]
    with pytest.raises(SignInRefusedError, match=reason):
        username_of(claims, claim=claim, domain=domain)


def sign_in(username: str = "alice", subject: Any = "s1", issuer: str = ISSUER, create: bool = False) -> User:
    return user_of(issuer=issuer, subject=subject, username=username, create=create)


def refused(reason: str, **more: Any) -> None:
    before = list(ProviderAccount.objects.values_list("user__username", "issuer", "subject"))
    with pytest.raises(SignInRefusedError, match=reason):
        sign_in(**more)
    assert list(ProviderAccount.objects.values_list("user__username", "issuer", "subject")) == before


@pytest.mark.django_db
class TestUsers:
    @pytest.fixture
    def alice(self) -> User:
        """Known by a job, as nearly everybody is."""
        return met_by_a_job("alice")

    def test_a_user_known_here_is_tied_at_the_first_sign_in(self, alice: User) -> None:
        assert sign_in() == alice
        assert sign_in() == alice
        assert ProviderAccount.objects.get().subject == "s1"

    def test_who_is_not_known_may_not(self) -> None:
        refused("alice is not known here yet")
        assert not User.objects.exists()

    def test_unless_the_site_wants_them(self) -> None:
        user = sign_in(create=True)
        assert (user.username, user.has_usable_password(), user.is_staff) == ("alice", False, False)
        assert sign_in() == user

    def test_the_tie_outlives_a_new_name_there(self, alice: User) -> None:
        sign_in()
        assert sign_in(username="alice.smith") == alice

    @pytest.mark.parametrize("other", [{"subject": "s2"}, {"issuer": "https://evil.example.org"}])
    def test_somebody_who_later_gets_the_name_there_does_not_get_the_user(
        self, alice: User, other: dict[str, str]
    ) -> None:
        sign_in()
        refused("alice belongs to another account", **other)

    def test_a_deactivated_user_may_not(self, alice: User) -> None:
        User.objects.update(is_active=False)
        refused("has been deactivated")
        User.objects.update(is_active=True)
        sign_in()
        User.objects.update(is_active=False)
        refused("has been deactivated")

    @pytest.mark.parametrize("subject", ["", None, 7, "x" * 256, "a\x00b"])
    def test_without_a_subject_nobody_is_anybody(self, alice: User, subject: Any) -> None:
        refused("does not tell who you are", subject=subject)

    def test_case_does_not_matter_as_long_as_it_is_clear(self, alice: User) -> None:
        assert sign_in(username="Alice") == alice
        exact = User.objects.create(username="BOB", password="!")
        User.objects.create(username="bob", password="!")
        refused("several users named Bob", username="Bob", subject="s2")
        assert sign_in(username="BOB", subject="s2") == exact


@pytest.mark.django_db
class TestAccountsOfThisSite:
    def test_the_local_administrator_is_not_taken_over(self, root: User) -> None:
        refused("has a password or rights of this site", username="root")
        refused("has a password or rights of this site", username="ROOT", create=True)

    def test_not_without_a_password_either(self, root: User) -> None:
        root.set_unusable_password()
        root.save()
        refused("has a password or rights of this site", username="root")
        ClusterAccount.objects.create(user=root, is_local=True, is_admin=True)
        refused("has a password or rights of this site", username="root")

    @pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
    def test_nor_who_was_given_rights_here(self, right: str) -> None:
        User.objects.create(username="carol", password="!", **{right: True})
        refused("has a password or rights of this site", username="carol")

    def test_nor_an_ordinary_user_with_a_password(self, alice: User) -> None:
        refused("has a password or rights of this site")

    def test_an_admin_of_the_cluster_may(self) -> None:
        """The provider is trusted with the cluster's names; that name has its rights from there."""
        user = User.objects.create(username="carol", password="!", is_staff=True, is_superuser=True)
        ClusterAccount.objects.create(user=user, is_admin=True)
        assert sign_in(username="carol") == user

    def test_an_administrator_can_tie_any_account(self, root: User) -> None:
        answer = client_of(root).post(
            "/admin/accounts/provideraccount/add/", {"user": root.pk, "issuer": ISSUER, "subject": "s9"}
        )
        assert answer.status_code == 302, answer.content
        assert sign_in(username="jane", subject="s9") == root

    def test_and_untie(self, root: User) -> None:
        user = User.objects.create(username="carol", password="!")
        sign_in(username="carol")
        answer = client_of(root).post(f"/admin/accounts/provideraccount/{user.pk}/delete/", {"post": "yes"})
        assert answer.status_code == 302
        assert sign_in(username="carol", subject="s2") == user

    def test_the_admin_pages_open(self, root: User) -> None:
        carol = User.objects.create(username="carol", password="!")
        sign_in(username="carol")
        ClusterAccount.objects.create(user=carol)
        browser = client_of(root)
        one = f"{carol.pk}/change/"
        pages = [
            f"{kind}account/{page}" for kind in ("provider", "cluster") for page in ("", one, "?q=carol")
        ]
        for page in pages:
            assert browser.get(f"/admin/accounts/{page}").status_code == 200
