"""Bearer tokens that stand for a program, not for a person: one shared secret from the settings."""

from __future__ import annotations

import re
from hmac import compare_digest

from django.http import HttpRequest


def presents(request: HttpRequest, secret: str) -> bool:
    """Whether the request carries `Authorization: Bearer <secret>`; how long the look takes tells nothing of it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and compare_digest(token.strip().encode(), secret.encode())


def check(token: str) -> None:
    """Raises a ValueError, which shows nothing of the token, for one that no `Authorization` header can carry."""
    if not re.fullmatch("[!-~]+", token):
        raise ValueError("must be visible ASCII characters without white space, to fit into a header")
