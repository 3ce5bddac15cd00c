"""Messages that only one browser can read: Web Push's encryption (RFC 8291), one record of aes128gcm (RFC 8188)."""

from __future__ import annotations

import os
import struct

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()
AUTH_BYTES = 16
SALT_BYTES = 16
RECORD_BYTES = 4096
MAX_PLAIN_BYTES = 3993
"""What push services take in any case (RFC 8291, 4): 4096 bytes with the header, the tag and one byte of padding."""
LAST_RECORD = b"\x02"


def read_point(data: bytes) -> ec.EllipticCurvePublicKey:
    """A browser's public key (`p256dh`), an uncompressed point. Raises ValueError when it is not on the curve."""
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, data)


def encrypt(
    plain: bytes,
    *,
    browser: ec.EllipticCurvePublicKey,
    auth: bytes,
    ours: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of the request to the push service. `ours` and `salt` are given by tests only: both are for one use."""
    if len(plain) > MAX_PLAIN_BYTES:
        raise ValueError(f"at most {MAX_PLAIN_BYTES} bytes, not {len(plain)}")
    ours = ours or ec.generate_private_key(CURVE)
    salt = salt or os.urandom(SALT_BYTES)
    theirs_bytes, ours_bytes = _bytes(browser), _bytes(ours.public_key())
    shared = ours.exchange(ec.ECDH(), browser)
    secret = _derived(shared, auth, b"WebPush: info\0" + theirs_bytes + ours_bytes, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + struct.pack("!IB", RECORD_BYTES, len(ours_bytes)) + ours_bytes
    return header + AESGCM(key).encrypt(nonce, plain + LAST_RECORD, None)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


def _bytes(point: ec.EllipticCurvePublicKey) -> bytes:
    return point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
