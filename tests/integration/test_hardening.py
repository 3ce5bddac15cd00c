"""What every answer carries, and what production settings must be."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as present
from django.contrib.auth.models import User
from django.test import Client

from notifcenter import environment
from tests.addresses import admin_path, rows, scene
from tests.clients import client_of

PRODUCTION = {
    "BASE_URL": "https://notifcenter.example.org",
    "ALLOWED_HOSTS": "notifcenter.example.org",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-a-long-one-of-many-different-letters",
}


def manage(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words], env={**os.environ, **variables}, cwd=present.BASE_DIR,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_production_settings_pass_djangos_own_checks() -> None:
    done = manage("check", "--deploy", "--tag", "security", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "WARNINGS" not in done.stderr


def test_cookies_and_strict_transport_follow_the_scheme() -> None:
    names = (
        "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
        "CSRF_COOKIE_SAMESITE", "SECURE_HSTS_SECONDS",
    )  # fmt: skip
    script = f"from django.conf import settings as s; print([getattr(s, n) for n in {names!r}])"
    secure = manage("shell", "--no-imports", "-c", script, **PRODUCTION).stdout
    assert secure.strip() == "[True, True, True, 'Lax', 'Lax', 2592000]"
    plain = manage(
        "shell", "--no-imports", "-c", script, **{**PRODUCTION, "BASE_URL": "http://10.0.0.1"}
    ).stdout
    assert plain.strip() == "[False, False, True, 'Lax', 'Lax', 0]"


def test_the_admin_has_a_path_of_its_own() -> None:
    script = (
        "from django.test import Client; from django.urls import reverse; c = Client();"
        "print(reverse('admin:index'), reverse('mail-preview'), c.get('/admin/', secure=True).status_code,"
        " c.get('/back-office/', secure=True)['Location'],"
        " c.get('/back-office/', secure=True, headers={'Accept-Language': 'zh-CN'}).get('Content-Language'))"
    )
    done = manage(
        "shell", "--no-imports", "-c", script, ADMIN_PATH="/back-office/", ALLOWED_HOSTS="testserver"
    )
    assert done.stdout.strip() == (
        "/back-office/ /back-office/mails/ 404 /back-office/login/?next=/back-office/ None"
    ), done.stderr


@pytest.mark.parametrize("path", ["/", "a b", "../x", "jobs", "api/v1", "<x>", "a//b"])
def test_a_path_for_the_admin_that_cannot_be(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("ADMIN_PATH", path)
    with pytest.raises(environment.UnusableSettingError, match="ADMIN_PATH: "):
        environment.path_part("ADMIN_PATH", "admin")


STRICT = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.django_db
def test_every_page_forbids_frames_inline_scripts_and_devices(alice: User, root: User) -> None:
    paths = [row.address for row in rows() if row.method == "GET" and "<" not in row.address]
    asked = [(client_of(alice), path) for path in [*paths, "/there-is-no-such-page/", "/jobs/x/"]]
    asked += [(client_of(root), f"{admin_path()}{page}") for page in ("", "mails/", "auth/user/")]
    for client, path in [*asked, (Client(), "/accounts/login/")]:
        answer: Any = client.get(path)
        assert {name: answer.get(name) for name in STRICT} == STRICT, path
        assert "camera=()" in answer["Permissions-Policy"]
        policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.django_db
def test_no_proxy_keeps_what_is_somebodys_own(alice: User, root: User) -> None:
    scene(alice)
    paths = [row.path() for row in rows() if row.method == "GET"]
    for client, path in [*((client_of(alice), path) for path in paths), (client_of(root), admin_path())]:
        kept = client.get(path)["Cache-Control"]
        assert "no-cache" in kept or "no-store" in kept, path
        assert "public" not in kept, path


@pytest.mark.django_db
@pytest.mark.parametrize(
    "key", ['"aaaaaaaaaaaaaaa\\000bbbbb"', '"\\377\\377\\377\\377\\377\\377\\377\\377"', "x" * 3000]
)
def test_a_cookie_that_no_session_has(key: str) -> None:
    cookies = {"cookie": f"sessionid={key}; csrftoken={key}; messages={key}"}
    assert Client().get("/", headers=cookies).status_code == 302
    assert Client().get("/api/v1/notifications/", headers=cookies).status_code == 401


@pytest.mark.django_db
def test_a_nul_that_gets_as_far_as_the_database_is_a_bad_request(root: User) -> None:
    page = client_of(root).get(f"{admin_path()}notifications/delivery/?state=%00")
    assert page.status_code == 400
