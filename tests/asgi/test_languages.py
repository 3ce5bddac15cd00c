"""One event, told to each socket in the language that it speaks."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from preferences.models import UserPreference
from tests.asgi.conftest import socket
from tests.cluster import submit, update

pytestmark = pytest.mark.django_db(transaction=True)

CHINESE, ENGLISH = "resnet50 已停止", "resnet50 was stopped"


def test_each_socket_hears_its_own_language(web: str, alice: User) -> None:
    UserPreference.objects.create(user=alice, language="zh-hans")
    queries = {"": CHINESE, "?lang=en": ENGLISH, "?lang=zh-CN": CHINESE, "?lang=xx": CHINESE}
    with (
        socket(web, alice, "") as own,
        socket(web, alice, "?lang=en") as english,
        socket(web, alice, "?lang=zh-CN") as chinese,
        socket(web, alice, "?lang=xx") as unknown,
    ):
        sockets = dict(zip(queries, (own, english, chinese, unknown), strict=True))
        for one in sockets.values():
            one.frame("hello")
        update(submit("resnet50", notificationAtStopped=True), state="STOPPED")
        titles = {query: one.frame("notification")["notification"]["title"] for query, one in sockets.items()}
        assert titles == queries


def test_what_was_missed_comes_in_it_too(web: str, alice: User) -> None:
    with socket(web, alice, "?lang=en") as first:
        first.frame("hello")
        update(submit("resnet50", notificationAtStopped=True), state="STOPPED")
        first.frame("notification")
    with socket(web, alice, "?lang=zh-hans") as later:
        later.frame("hello")
        later.send({"type": "resume", "after": 0})
        assert later.frame("notification")["notification"]["title"] == CHINESE
