"""Passwords tried all at once, so that each attempt is under way before the others have failed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from tests.hashers import QuickHasher

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 12
TOGETHER_SECONDS = 1.0
"""How long each waits for the others while its password is looked at."""


def attempt(page: str, password: str) -> int:
    try:
        return Client().post(page, {"username": "root", "password": password}).status_code
    finally:
        connection.close()


@pytest.mark.parametrize("page", ["/accounts/login/", "/admin/login/"])
def test_no_more_of_them_are_looked_at_than_one_after_the_other(
    root: User, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    all_of_them = Barrier(AT_ONCE)
    verify = QuickHasher.verify

    def slowly(self: QuickHasher, password: str, encoded: str) -> bool:
        looked_at.append(password)
        with suppress(BrokenBarrierError):
            all_of_them.wait(TOGETHER_SECONDS)
        return verify(self, password, encoded)

    monkeypatch.setattr(QuickHasher, "verify", slowly)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = list(pool.map(partial(attempt, page), map(str, range(AT_ONCE))))
    assert codes.count(429) == AT_ONCE - 4
    assert len(looked_at) == 5
