"""Guessing passwords: bounded for a name from one address and for an address, and nobody is kept out from elsewhere."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from accounts import sign_in as sign_in_module
from accounts import tasks
from accounts.sign_in import client_address
from notifcenter import celery

pytestmark = pytest.mark.django_db

LOGIN, ADMIN_LOGIN = "/accounts/login/", "/admin/login/"
HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"


def sign_in(
    name: str = "alice", password: str = "wrong", *, at: str = HERE, page: str = LOGIN, **more: Any
) -> Any:
    return Client().post(page, {"username": name, "password": password}, REMOTE_ADDR=at, **more)


def fail(count: int, **how: Any) -> list[int]:
    return [sign_in(**how).status_code for _ in range(count)]


@pytest.mark.parametrize("page", [LOGIN, ADMIN_LOGIN])
def test_after_five_failures_the_right_password_is_refused_too(root: User, page: str) -> None:
    assert fail(5, name="root", page=page) == [200, 200, 200, 200, 429]
    answer = sign_in("root", "root-password", page=page)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "Try again in 15 minutes" in answer.content.decode()
    assert "_auth_user_id" not in answer.client.session


def test_both_sign_ins_count_together(root: User) -> None:
    fail(3, name="root", page=LOGIN)
    assert fail(2, name="root", page=ADMIN_LOGIN) == [200, 429]


def test_nobody_is_kept_out_from_elsewhere(alice: User) -> None:
    fail(20)
    assert sign_in(password="alice-password", at=ELSEWHERE).status_code == 302


def test_it_ends_by_itself_and_more_attempts_do_not_prolong_it(alice: User) -> None:
    fail(5)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    fail(3)
    assert sign_in(password="alice-password").status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert sign_in(password="alice-password").status_code == 302
    assert not AccessAttempt.objects.exists()


def test_a_success_forgets_the_failures_of_that_name_only(alice: User, bob: User) -> None:
    fail(4, name="bob")
    fail(4)
    assert sign_in(password="alice-password").status_code == 302
    assert fail(4)[-1] == 200
    assert fail(1, name="bob") == [429]


def test_one_address_cannot_try_many_names(settings: Settings, alice: User) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 8
    for number in range(8):
        sign_in(f"user{number}")
    assert sign_in(password="alice-password").status_code == 429
    assert sign_in(password="alice-password", at=ELSEWHERE).status_code == 302


def test_the_browser_that_a_guesser_pretends_to_have_does_not_matter(alice: User) -> None:
    for number in range(5):
        sign_in(HTTP_USER_AGENT=f"browser {number}")
    assert sign_in(password="alice-password").status_code == 429


def test_neither_password_nor_made_up_lines_are_kept(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        fail(6, name="x\n2026-01-01 INFO forged", password="the-password")
    for row in AccessAttempt.objects.values():
        assert "the-password" not in str(row)
    assert "the-password" not in caplog.text
    assert "\n2026-01-01 INFO forged" not in caplog.text
    assert "sign-in locked address=203.0.113.7" in caplog.text


def test_what_is_stored_is_bounded_by_what_an_address_may(settings: Settings, db: None) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 6
    for number in range(12):
        sign_in(f"user{number}")
    assert AccessAttempt.objects.count() == 6


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (HERE, "", HERE),
        (HERE, "1.2.3.4", HERE),  # nobody we trust says so
        ("127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),  # the first one is made up
        ("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.5", "1.2.3.4"),
        ("127.0.0.1", "10.0.0.4, 10.0.0.5", "10.0.0.4"),
        ("::1", "1.2.3.4", "1.2.3.4"),
        ("::ffff:127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "1.2.3.4, nonsense", "127.0.0.1"),
        ("127.0.0.1", ",".join(["10.0.0.5"] * 5_000), "10.0.0.5"),
        ("2001:db8:1:2:3::9", "", "2001:db8:1:2::"),
        ("2001:db8:1:2:4::7", "", "2001:db8:1:2::"),
        ("", "1.2.3.4", None),
    ],
)
def test_the_address_behind_proxies(
    settings: Settings, peer: str, forwarded: str, client: str | None
) -> None:
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.0/8"), ip_network("::1"), ip_network("10.0.0.0/24")]
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == client


def test_a_new_session_at_every_sign_in(alice: User) -> None:
    """A session that somebody else has put into the browser is of no use to them."""
    browser = Client()
    browser.cookies["sessionid"] = "fixedfixedfixedfixedfixedfixed00"
    browser.post(LOGIN, {"username": "alice", "password": "alice-password"})
    assert browser.cookies["sessionid"].value != "fixedfixedfixedfixedfixedfixed00"
    first = browser.cookies["sessionid"].value
    browser.post("/accounts/logout/")
    browser.cookies["sessionid"] = first
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/", "///evil.example/", "\\\\evil.example", "/\\evil.example",
        "javascript:alert(1)", "https:evil.example", "http:///evil.example/", "\t//evil.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("page", [LOGIN, ADMIN_LOGIN])
def test_the_sign_in_leads_nowhere_else(root: User, page: str, target: str) -> None:
    answer = Client().post(
        f"{page}?next=/", {"username": "root", "password": "root-password", "next": target}
    )
    assert answer.status_code == 302
    assert answer["Location"].startswith("/")
    assert not answer["Location"].startswith(("//", "/\\"))


def expire(**which: Any) -> None:
    AccessAttempt.objects.filter(**which).update(attempt_time=timezone.now() - timedelta(minutes=16))


def test_a_sign_in_forgets_only_its_own_old_failures(alice: User) -> None:
    fail(4)
    fail(4, name="bob")
    expire()
    assert fail(4) == [200] * 4  # counted anew
    assert AccessAttempt.objects.get(username="alice").failures_since_start == 4
    assert AccessAttempt.objects.get(username="bob").failures_since_start == 4


def test_beat_forgets_what_locks_nobody_any_more_in_small_batches(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_module, "FORGET_ROWS", 2)
    for name in ("a", "b", "c", "d", "e"):
        fail(1, name=name)
    expire()
    fail(5)
    batches: list[int] = []

    def stop_after_two(seconds: float) -> bool:
        batches.append(AccessAttempt.objects.count())
        return len(batches) == 2

    assert sign_in_module.forget_expired(wait=stop_after_two) == 4
    assert batches == [4, 2]
    assert celery.app.conf.beat_schedule["failed sign-ins"]["task"] == tasks.forget_failed_sign_ins.name
    tasks.forget_failed_sign_ins()
    assert list(AccessAttempt.objects.values_list("username", flat=True)) == ["alice"]
    assert fail(1) == [429]


def test_who_is_refused_reads_it_in_their_language(alice: User) -> None:
    fail(5)
    answer = sign_in(HTTP_ACCEPT_LANGUAGE="zh-CN")
    assert "失败次数过多，请在 15 分钟后重试。" in answer.content.decode()
