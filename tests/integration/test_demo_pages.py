"""The demo's mailbox shows what was sent, to who is signed in, and nothing but mails."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from django.urls import include, path
from pytest_django.fixtures import Settings

from notifcenter import mail_folder
from notifcenter.urls import urlpatterns as all_urlpatterns

urlpatterns = [*all_urlpatterns, path("demo/", include("notifcenter.demo_pages"))]

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def mails(tmp_path: Path, settings: Settings) -> Path:
    """Two mails that went over one connection, so into one file."""
    settings.ROOT_URLCONF = __name__
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")
    with get_connection("django.core.mail.backends.filebased.EmailBackend") as connection:
        for number in (1, 2):
            message = EmailMultiAlternatives(
                f"Mail {number} {HOSTILE}",
                f"text {number} {HOSTILE}\n" + "-" * 40 + "\nhttp://127.0.0.1/jobs/x/",
                "notifcenter@localhost",
                ["alice@example.org"],
                connection=connection,
            )
            message.attach_alternative(
                f"<html><head></head><body>html {number} {HOSTILE}</body>", "text/html"
            )
            message.send()
    return tmp_path / "mails"


@pytest.fixture
def address(mails: Path) -> str:
    (file,) = mails.iterdir()
    return f"/demo/mails/{file.name}"


def test_mails_are_listed_newest_first_and_escaped(client: Client, alice: User, mails: Path) -> None:
    client.force_login(alice)
    page = client.get("/demo/mails/").content.decode()
    assert page.index("Mail 2") < page.index("Mail 1")
    assert "alice@example.org" in page
    assert HOSTILE not in page


def test_a_mail_opens_as_text_and_as_html_in_a_sandbox(client: Client, alice: User, address: str) -> None:
    client.force_login(alice)
    response = client.get(f"{address}/1/")
    page = response.content.decode()
    assert "text 2 &lt;script&gt;" in page
    assert f'src="{address}/1/html/"' in page
    assert 'sandbox="allow-top-navigation-by-user-activation"' in page
    assert "frame-src 'self'" in response["Content-Security-Policy"]


def test_the_html_part_runs_nothing_and_loads_nothing(client: Client, alice: User, address: str) -> None:
    client.force_login(alice)
    response = client.get(f"{address}/0/html/")
    assert "html 1" in response.content.decode()
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-top-navigation-by-user-activation" in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"


def test_others_mails_are_not_shown_but_to_an_administrator(
    client: Client, bob: User, root: User, address: str
) -> None:
    client.force_login(bob)
    assert b"alice" not in client.get("/demo/mails/").content
    assert client.get(f"{address}/0/").status_code == 404
    assert client.get(f"{address}/0/html/").status_code == 404
    client.force_login(root)
    assert b"alice@example.org" in client.get("/demo/mails/").content
    assert client.get(f"{address}/0/").status_code == 200


def test_strangers_are_sent_to_the_sign_in(client: Client, address: str, db: None) -> None:
    for url in ("/demo/mails/", f"{address}/0/", f"{address}/0/html/"):
        assert client.get(url)["Location"].startswith("/accounts/login/")


def test_an_empty_or_missing_folder_is_no_error(
    client: Client, alice: User, mails: Path, settings: Settings
) -> None:
    settings.EMAIL_FILE_PATH = str(mails / "missing")
    client.force_login(alice)
    assert client.get("/demo/mails/").status_code == 200


@pytest.mark.parametrize(
    "file",
    ["..%2Fsecret_key", "..", "%2Fetc%2Fpasswd", "20260101-000000-1.log%00", "secret_key", "x.log"],
)
def test_no_way_leads_out_of_the_folder(client: Client, alice: User, mails: Path, file: str) -> None:
    (mails.parent / "secret_key").write_text("secret", encoding="utf-8")
    (mails / "secret_key").write_text("secret", encoding="utf-8")
    client.force_login(alice)
    assert client.get(f"/demo/mails/{file}/0/").status_code == 404


def test_a_link_in_the_folder_is_not_listed(client: Client, alice: User, mails: Path) -> None:
    (mails.parent / "secret_key").write_text("Subject: secret\n\nsecret", encoding="utf-8")
    (mails / "20990101-000000-1.log").symlink_to(mails.parent / "secret_key")
    client.force_login(alice)
    assert b"secret" not in client.get("/demo/mails/").content
    assert client.get("/demo/mails/20990101-000000-1.log/0/").status_code == 404


def test_without_the_demo_there_is_no_such_page(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/demo/mails/").status_code == 404


def test_the_oldest_mails_are_deleted(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"20260101-00000{number}-1.log").write_bytes(b"Subject: x\n\n")
    mail_folder.prune(tmp_path, keep=2)
    mail_folder.prune(tmp_path, keep=10)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "20260101-000003-1.log",
        "20260101-000004-1.log",
    ]
