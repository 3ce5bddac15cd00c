"""Secrets that people entrust to us, encrypted for the database (Fernet: AES-128-CBC and HMAC-SHA256).

The first of ENCRYPTION_KEYS encrypts, all of them decrypt, and so does the key that stands in where none is set: it
is derived from SECRET_KEY. A key is thus replaced by putting the new one first, encrypting everything anew, and only
then taking the old one away.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"notifcenter: secrets of targets"
KEY_BYTES = 32


class UnreadableError(Exception):
    """The secret was encrypted with a key that is no longer known."""


def encrypt(text: str) -> str:
    return _keys().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    try:
        return _keys().decrypt(token.encode()).decode()
    except InvalidToken:
        raise UnreadableError from None


def encrypt_anew(token: str) -> str:
    """The same secret under the present first key. Raises UnreadableError."""
    return encrypt(decrypt(token))


def new_key() -> str:
    return Fernet.generate_key().decode()


def _keys() -> MultiFernet:
    keys: list[str | bytes] = [*settings.ENCRYPTION_KEYS, _derived(settings.SECRET_KEY)]
    return MultiFernet([Fernet(key) for key in keys])


def _derived(secret: str) -> bytes:
    key = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(key)
