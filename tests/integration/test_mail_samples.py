"""Every message with made-up data: sent by a command, shown in the admin, and the admin's own templates for them."""

from __future__ import annotations

import re
from email.message import EmailMessage
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from notifications.delivery import samples
from notifications.delivery.rendering import render
from preferences.models import SiteSettings
from tests import smtp
from tests.clients import client_of
from tests.smtp import SmtpServer
from tests.unit.test_environment import check

LANGUAGES = ["en", "zh-hans"]
PAGE = "/admin/mails/"
FOREIGN_WORDS = {
    "GPU", "UTC", "default", "worker", "resnet", "warmup", "bert", "large", "vit", "sweep",
    "alice", "cluster", "gpu", "node", "Pod",
    "The", "GPUs", "have", "been", "idle", "for", "hours", "GpuIdle", "warn", "Warn",  # what the alert's author says
}  # fmt: skip
NO_TEXT = r"(?s)<head>.*?</head>|<[^>]+>|https?://\S+|&\w+;|\(\w+\)|Epoch.*GiB"


def send(to: str = "admin@example.org", **options: str) -> str:
    out = StringIO()
    call_command("send_test_mail", to=to, stdout=out, **options)
    return out.getvalue()


def html_of(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("name", samples.NAMES)
def test_a_chinese_sample_has_no_english_left(name: str) -> None:
    with translation.override("zh-hans"):
        rendered = render(samples.message(name))
    for text in (rendered.subject, rendered.text, rendered.html):
        words = set(re.findall(r"[A-Za-z]{3,}", re.sub(NO_TEXT, " ", text)))
        assert words <= FOREIGN_WORDS


def test_the_command_sends_every_message_in_the_sites_language(server: SmtpServer, db: None) -> None:
    SiteSettings.objects.create(language="zh-hans")
    told = send()
    assert len(server.messages) == len(samples.NAMES) == told.count("sent: ")
    assert server.recipients == ["admin@example.org"] * len(samples.NAMES)
    assert server.connections == 1
    for message in server.messages:
        assert '<html lang="zh-hans"' in html_of(message)
        assert str(message["Subject"]).strip() in told


def test_the_command_sends_one_message_in_a_language(server: SmtpServer, db: None) -> None:
    send(message="failed", language="en")
    (message,) = server.messages
    assert message["Subject"] == "[cluster] Failed: resnet50-lr3: out of GPU memory"


def test_the_links_of_a_sample_stop_nobodys_mails(server: SmtpServer, root: User) -> None:
    send(message="failed", language="en")
    paths = set(re.findall(r"/unsubscribe/[^/]+/", html_of(server.messages[0])))
    assert len(paths) == 3
    for path in paths:
        assert Client().post(path).status_code == 404


def test_the_command_says_what_is_wrong(server: SmtpServer, settings: Settings, db: None) -> None:
    with pytest.raises(CommandError, match="'alice' is no mail address"):
        send("alice")
    server.programme.rcpt = smtp.always("550 5.1.1 No such user here")
    with pytest.raises(CommandError, match=r"Not sent: .*No such user here"):
        send()
    settings.EMAIL_CONFIGURED = False
    with pytest.raises(CommandError, match="EMAIL_URL is not set"):
        send()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", samples.NAMES)
def test_the_admin_sees_every_message(root: User, name: str, language: str) -> None:
    query = {"message": name, "language": language}
    page = client_of(root).get(PAGE, query)
    with translation.override(language):
        rendered = render(samples.message(name))
    assert page.context["rendered"] == rendered
    html = client_of(root).get(f"{PAGE}html/", query)
    assert html.content.decode() == rendered.html
    assert "default-src 'none'" in html["Content-Security-Policy"]
    assert html["X-Frame-Options"] == "SAMEORIGIN"


def test_the_admins_first_page_leads_there(root: User) -> None:
    assert f'href="{PAGE}"' in client_of(root).get("/admin/").content.decode()


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}html/?message=failed&language=en"])
def test_only_the_staff_sees_it(alice: User, path: str) -> None:
    for client in (Client(), client_of(alice)):
        assert client.get(path).status_code == 302


def test_what_does_not_exist_is_not_shown(root: User) -> None:
    for query in (
        {"message": "x", "language": "en"},
        {"message": "failed", "language": "\0"},
        {"message": "failed"},
    ):
        assert client_of(root).get(f"{PAGE}html/", query).status_code == 400
    answer = client_of(root).get(PAGE, {"message": "<script>"})
    assert answer.status_code == 200
    assert "<script>" not in answer.content.decode()


def write(folder: Path, name: str, text: str) -> None:
    path = folder / "email" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_an_admins_template_goes_before_ours_and_may_extend_it(settings: Settings, tmp_path: Path) -> None:
    write(tmp_path, "job_event/subject.txt", "{{ word }} ({{ cluster }})")
    write(
        tmp_path,
        "job_event/body.html",
        '{% extends "email/job_event/body.html" %}{% block why %}{{ super() }} Ask ext. 4711.{% endblock %}',
    )
    settings.TEMPLATE_DIR = tmp_path
    rendered = render(samples.message("failed"))
    assert rendered.subject == "Failed (cluster)"
    assert "Ask ext. 4711." in rendered.html
    assert "You get this mail because" in rendered.html
    assert "out of GPU memory" in rendered.html


def test_a_folder_of_templates_that_can_be_used_starts(tmp_path: Path) -> None:
    write(tmp_path, "job_event/subject.txt", "{{ word }}")
    assert check(tmp_path / "data", TEMPLATE_DIR=str(tmp_path)).returncode == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{% if word %}", "TemplateSyntaxError: Unexpected end of template."),
        ('{% include "no/such.html" %}', "TemplateNotFound: no/such.html"),
        ("{{ headlime }}", "UndefinedError: 'headlime' is undefined"),
    ],
)
def test_a_template_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str, problem: str) -> None:
    write(tmp_path, "digest/body.txt", text)
    done = check(tmp_path / "data", TEMPLATE_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("TEMPLATE_DIR: the mail 'digest' cannot be made: ")
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    done = check(tmp_path / "data", TEMPLATE_DIR="/no/such/folder")
    assert done.returncode == 1
    assert done.stderr == "TEMPLATE_DIR: there is no folder '/no/such/folder' that can be read\n"
