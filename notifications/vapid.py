"""How this site identifies itself to push services (VAPID, RFC 8292), and the key by which it does."""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()
KEY_BYTES = 32
VALID_SECONDS = 12 * 60 * 60
"""Of one statement; the standard allows 24 hours, and clocks differ."""

_CONTACT = re.compile(r"(mailto:[^@\s<>]+@[^@\s<>]+|https://[^\s<>]+)")


def new_private_key() -> str:
    number = ec.generate_private_key(CURVE).private_numbers().private_value
    return encode(number.to_bytes(KEY_BYTES, "big"))


def check_private_key(text: str) -> None:
    """Raises ValueError; its text does not show the key."""
    try:
        _private_key(text)
    except (ValueError, binascii.Error):
        raise ValueError("is no key; make one by: notifcenter vapid_keys") from None


def check_contact(text: str) -> None:
    """Whom the operators of a push service write to when something is wrong. Raises ValueError."""
    if not _CONTACT.fullmatch(text):
        raise ValueError(f"{text!r} is no contact; write it like mailto:admin@example.org")


@cache
def public_key(private_key: str) -> str:
    """What browsers are given (applicationServerKey): the uncompressed point in URL-safe base64."""
    point = _private_key(private_key).public_key()
    return encode(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def authorization(endpoint: str, *, private_key: str, contact: str, now: int) -> str:
    """The header for one message to that address; `now` in seconds since 1970."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": now + VALID_SECONDS, "sub": contact}
    token = jwt.encode(claims, _private_key(private_key), algorithm="ES256")
    return f"vapid t={token}, k={public_key(private_key)}"


def encode(data: bytes) -> str:
    """URL-safe base64 without padding, as all of Web Push has it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Raises ValueError, also for characters that Python would pass over."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("no URL-safe base64")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@cache
def _private_key(text: str) -> ec.EllipticCurvePrivateKey:
    data = decode(text)
    if len(data) != KEY_BYTES:
        raise ValueError("wrong length")
    return ec.derive_private_key(int.from_bytes(data, "big"), CURVE)
