"""A browser as a push service knows it: its keys, and what it makes of a message."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth.models import User

from notifications import own_browsers, vapid
from notifications.vapid import decode, encode
from preferences.kinds import Channel
from preferences.models import Target
from tests.receiver import Request
from tests.targets import allow

CURVE = ec.SECP256R1()
KEY = vapid.new_private_key()
CONTACT = "mailto:admin@example.org"
KEYS = {"VAPID_PRIVATE_KEY": KEY, "VAPID_CONTACT": CONTACT}
"""As a process of the product finds them in its environment."""
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass
class Browser:
    """`auth` and the key pair are what a browser makes when it subscribes."""

    endpoint: str
    auth: bytes = b"0123456789abcdef"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def subscription(self) -> dict[str, Any]:
        """As PushSubscription.toJSON has it."""
        keys = {"p256dh": encode(self.point), "auth": encode(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def read(self, body: bytes) -> Any:
        return json.loads(self.decrypt(body))

    def decrypt(self, body: bytes) -> bytes:
        """With nothing but the text of RFC 8291, 3.4 and RFC 8188, 2."""
        salt, (size, length) = body[:16], struct.unpack("!IB", body[16:21])
        server, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, server))
        secret = _hkdf(self.auth, shared, b"WebPush: info\x00" + self.point + server, 32)
        key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\x00", 12)
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\x00")
        assert plain[-1:] == b"\x02"
        return plain[:-1]


def claims_of(request: Request, *, audience: str) -> dict[str, Any]:
    """What the sender says of itself, checked as a push service does (RFC 8292)."""
    scheme, _, parameters = request.headers["Authorization"].partition(" ")
    assert scheme == "vapid"
    values = dict(one.split("=", 1) for one in parameters.split(", "))
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(values["k"]))
    claims: dict[str, Any] = jwt.decode(values["t"], key, algorithms=["ES256"], audience=audience)
    return claims


def add_browser(user: User, browser: Browser, *, name: str = "") -> Target:
    allow(Channel.WEBPUSH)
    return own_browsers.add(user=user, subscription=browser.subscription, user_agent=FIREFOX, name=name)


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
