"""What `manage.py check` says of settings that work, but should not be used."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.test import override_settings


@pytest.mark.parametrize(
    ("secret", "found"),
    [
        ("", []),
        ("pai-secret", ["notifcenter.W001"]),
        ("x" * 31, ["notifcenter.W002"]),
        ("ä" * 16, []),
        ("x" * 32, []),
    ],
)
def test_a_secret_of_the_tokens_that_can_be_guessed(secret: str, found: list[str]) -> None:
    with override_settings(PAI_JWT_SECRET=secret):
        messages = run_checks()
    assert [message.id for message in messages if "PAI_JWT_SECRET" in message.msg] == found
