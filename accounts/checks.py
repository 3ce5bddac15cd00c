"""What can be said of the tokens' secret before the first token comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

SHORTEST_SECRET_BYTES = 32
"""RFC 7518, section 3.2: a key of HS256 has at least the size of its hash."""
KNOWN_SECRETS = ("pai-secret",)
"""OpenPAI's own default. Source: `jwt-secret` in its rest-server's configuration."""


@register
def tokens_secret(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Anybody who guesses the secret can sign in as anybody."""
    secret = settings.PAI_JWT_SECRET
    hint = "Give the cluster's services a random secret of 32 bytes or more, and PAI_JWT_SECRET the same."
    if secret in KNOWN_SECRETS:
        return [
            Warning("PAI_JWT_SECRET is a default that everybody knows.", hint=hint, id="notifcenter.W001")
        ]
    if secret and len(secret.encode()) < SHORTEST_SECRET_BYTES:
        return [Warning("PAI_JWT_SECRET is short enough to be guessed.", hint=hint, id="notifcenter.W002")]
    return []
