"""Which language an answer speaks: a table for pages, one for REST."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from notifications import wording
from preferences.models import SiteSettings, UserPreference
from tests.browser.notices import tell
from tests.clients import client_of
from tests.tokens import SECRET, token

CHINESE, ENGLISH = "zh-hans", "en"


def wants(user: User, own: str, site: str = ENGLISH) -> None:
    UserPreference.objects.create(user=user, language=own)
    SiteSettings.objects.update_or_create(defaults={"language": site})


@pytest.mark.parametrize(
    ("own", "browser", "site", "spoken"),
    [
        (CHINESE, "en-US,en;q=0.9", ENGLISH, CHINESE),
        (ENGLISH, "zh-CN,zh;q=0.9", ENGLISH, ENGLISH),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", ENGLISH, CHINESE),
        ("", "de-DE,de;q=0.9,en;q=0.8", CHINESE, ENGLISH),
        ("", "de", CHINESE, CHINESE),
        ("", "", CHINESE, CHINESE),
        ("", "", ENGLISH, ENGLISH),
    ],
)
def test_a_page_speaks(alice: User, own: str, browser: str, site: str, spoken: str) -> None:
    wants(alice, own, site)
    answer = client_of(alice).get("/", headers={"Accept-Language": browser})
    assert answer["Content-Language"] == spoken
    assert f'<html lang="{spoken}">' in answer.text
    assert ("收件箱" in answer.text) == (spoken == CHINESE)


@pytest.mark.parametrize(
    ("own", "asked", "spoken"),
    [
        (CHINESE, "en", ENGLISH),
        (ENGLISH, "zh-CN", CHINESE),
        (CHINESE, "de", CHINESE),
        (CHINESE, "", CHINESE),
        ("", "", ENGLISH),
    ],
)
@pytest.mark.parametrize("by_token", [False, True])
def test_rest_speaks(
    alice: User, own: str, asked: str, spoken: str, by_token: bool, settings: Settings
) -> None:
    settings.PAI_JWT_SECRET = SECRET
    wants(alice, own)
    tell(alice, "resnet50")
    headers = {"Accept-Language": asked} if asked else {}
    client = Client() if by_token else client_of(alice)
    if by_token:
        headers["Authorization"] = f"Bearer {token(username='alice')}"
    (one,) = client.get("/api/v1/notifications/", headers=headers).json()["results"]
    assert (
        one["title"]
        == {ENGLISH: "resnet50 failed: out of memory", CHINESE: "resnet50 失败：内存不足"}[spoken]
    )


BULK = "/api/v1/notifications/bulk/"
EVENTS = "/api/v1/ingest/events/"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", BULK, {}),
        ("POST", BULK, []),
        ("POST", BULK, {"ids": [1]}),
        ("POST", BULK, {"ids": ["x"], "action": "read"}),
        ("POST", BULK, {"ids": [1], "action": "vanish"}),
        ("POST", BULK, {"ids": [1], "action": "snooze"}),
        ("POST", BULK, {"ids": [1], "action": "read", "cursor": "7"}),
        ("POST", BULK, {"filter": {}, "action": "read", "cursor": "x"}),
        ("POST", BULK, {"undo": "made up"}),
        ("POST", "/api/v1/notifications/mark-read/", {}),
        ("GET", "/api/v1/notifications/?cursor=x", None),
        ("GET", "/api/v1/notifications/?since=x", None),
        ("GET", "/api/v1/jobs/?cursor=x", None),
        ("PATCH", "/api/v1/preferences/", {"nonsense": 1}),
        ("PATCH", "/api/v1/preferences/", {"default_events": {"failed": "yes"}}),
        (
            "POST",
            "/api/v1/job-file/",
            {"yaml": "a: 1", "events": {"waiting_too_long": 1, "waitingTooLong": 1}},
        ),
        ("POST", "/api/v1/job-file/", {"yaml": "a: 1", "events": {"waiting_too_long": "long"}}),
        ("POST", EVENTS, {"job": "a", "username": "alice", "event": "retried"}),
        ("POST", EVENTS, {"job": "a", "username": "alice", "event": "failed", "ordinal": "x"}),
        ("POST", EVENTS, {"job": "a", "username": "alice", "event": "failed", "occurred_at": "now"}),
        (
            "POST",
            EVENTS,
            {"job": "a", "username": "alice", "event": "failed", "occurred_at": "2990-01-01T00:00:00Z"},
        ),
        (
            "POST",
            EVENTS,
            {"job": "a", "username": "alice", "event": "failed", "occurred_at": "1990-01-01T00:00:00Z"},
        ),
        ("POST", EVENTS, {"job": "a", "username": "alice", "event": "failed", "url": "javascript:1"}),
    ],
)
def test_what_rest_refuses_is_said_in_chinese(
    alice: User, method: str, path: str, body: Any, settings: Settings
) -> None:
    settings.INGEST_TOKEN = "secret"
    headers = {"Accept-Language": "zh-CN"}
    client = client_of(alice)
    if path == EVENTS:
        client, headers["Authorization"] = Client(), "Bearer secret"
    sent: dict[str, Any] = (
        {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    )
    answer = client.generic(method, path, headers=headers, **sent)
    assert answer.status_code == 400, answer.text
    said = list(texts(answer.json()))
    assert said
    assert [text for text in said if not re.search("[\u4e00-\u9fff]", text)] == []


def texts(answer: Any) -> Iterator[str]:
    """All that it says, however deep."""
    if isinstance(answer, str):
        yield answer
    for one in answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ():
        yield from texts(one)


def test_who_is_not_signed_in_reads_the_browsers_language(db: None) -> None:
    assert "用户名" in Client().get("/accounts/login/", headers={"Accept-Language": "zh"}).text
    assert "没有" not in Client().get("/nowhere/").text
    assert "这里什么也没有" in Client().get("/nowhere/", headers={"Accept-Language": "zh-CN"}).text


def test_the_admin_speaks_english(admin_client: Client, admin_user: User) -> None:
    wants(admin_user, CHINESE)
    assert "Site administration" in admin_client.get("/admin/").text


def test_an_alert_of_ours_is_told_in_the_readers_language() -> None:
    pause = {"channel": "email", "why": "The login was refused", "minutes": 15}
    stored = {**wording.pause_words(pause), "pause": pause}
    assert wording.title("alert", "", 0, stored) == "E-mail is paused: nothing can be sent"
    with translation.override(CHINESE):
        assert wording.title("alert", "", 0, stored) == "邮件渠道已暂停：无法发送任何内容"
        assert "不会丢失" in str(wording.in_own_words(stored)["reason"])
