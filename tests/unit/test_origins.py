"""Which pages count as our own when they open a websocket."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from notifcenter.auth import is_own_origin

PROXY = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://10.0.0.7:8000", True),
        ("https://10.0.0.7:8000", False),
        ("http://10.0.0.7", False),
        ("https://notif.example.org", True),
        ("https://notif.example.org:443", True),
        ("http://notif.example.org", False),
        ("https://notif.example.org.evil.example", False),
        ("https://portal.example.org", True),
        ("https://a.wild.example.org", True),
        ("https://wild.example.org", False),
        ("https://evil-wild.example.org", False),
        ("null", False),
        ("http://[", False),
        ("://", False),
    ],
)
def test_own_is_the_connections_origin_the_base_url_and_the_trusted(
    settings: Settings, origin: str, own: bool
) -> None:
    settings.BASE_URL = "https://notif.example.org/notifications"
    settings.SECURE_PROXY_SSL_HEADER = PROXY
    settings.CSRF_TRUSTED_ORIGINS = ["https://portal.example.org", "https://*.wild.example.org"]
    assert is_own_origin(origin, "ws", {b"host": b"10.0.0.7:8000"}) is own


@pytest.mark.parametrize(
    ("scheme", "header", "trusted", "own"),
    [
        ("ws", b"", None, "http"),
        ("wss", b"", None, "https"),
        ("ws", b"https", None, "http"),
        ("ws", b"https", PROXY, "https"),
        ("ws", b"https, http", PROXY, "https"),
        ("ws", b"http", PROXY, "http"),
    ],
)
def test_the_scheme_is_the_connections_or_what_a_trusted_proxy_says(
    settings: Settings, scheme: str, header: bytes, trusted: tuple[str, str] | None, own: str
) -> None:
    settings.BASE_URL = "http://127.0.0.1:8000"
    settings.SECURE_PROXY_SSL_HEADER = trusted
    headers = {b"host": b"notif.example.org", b"x-forwarded-proto": header}
    accepted = [
        one for one in ("http", "https") if is_own_origin(f"{one}://notif.example.org", scheme, headers)
    ]
    assert accepted == [own]


def test_a_connection_without_a_host_is_no_origin(settings: Settings) -> None:
    settings.BASE_URL = ""
    assert not is_own_origin("http://", "ws", {})
