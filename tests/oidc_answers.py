"""Answers of a provider that sign nobody in."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.oidc import CLIENT_ID, CLIENT_SECRET, KEY_ID, Provider
from tests.tokens import rsa_key, unsigned


def signed_by_another_key(claims: dict[str, Any]) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, key, "RS256", headers={"kid": KEY_ID})


def signed_with_the_public_key_as_secret(claims: dict[str, Any]) -> str:
    """What a verifier falls for that takes the algorithm from the token."""
    public = rsa_key().public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    head, body, _ = unsigned({"alg": "HS256", "typ": "JWT", "kid": KEY_ID}, claims).split(".")
    signature = hmac.digest(public, f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def with_claims(**more: Any) -> Callable[[Provider], None]:
    """The ID token says these; None: says nothing of it."""

    def set_up(bad: Provider) -> None:
        real = bad.sign
        bad.sign = lambda claims: real({k: v for k, v in {**claims, **more}.items() if v is not None})

    return set_up


def with_signature(sign: Callable[[dict[str, Any]], str]) -> Callable[[Provider], None]:
    return lambda bad: setattr(bad, "sign", sign)


def with_attributes(**more: Any) -> Callable[[Provider], None]:
    return lambda bad: vars(bad).update(more)


NOT_VALID = "not valid for this sign-in"
BAD: dict[str, tuple[Callable[[Provider], None], str]] = {
    "another nonce": (with_claims(nonce="another"), NOT_VALID),
    "no nonce": (with_claims(nonce=None), NOT_VALID),
    "for another client": (with_claims(aud="another"), NOT_VALID),
    "for another client, as if by us": (with_claims(aud="another", azp=CLIENT_ID), NOT_VALID),
    "for several, by another": (with_claims(aud=[CLIENT_ID, "another"], azp="another"), NOT_VALID),
    "for nobody": (with_claims(aud=None), NOT_VALID),
    "of another issuer": (with_claims(iss="https://evil.example.org"), NOT_VALID),
    "of no issuer": (with_claims(iss=None), NOT_VALID),
    "expired": (with_claims(exp=1), NOT_VALID),
    "without an end": (with_claims(exp=None), NOT_VALID),
    "not yet valid": (with_claims(nbf=2**31), NOT_VALID),
    "without a subject": (with_claims(sub=None), NOT_VALID),
    "another key": (with_signature(signed_by_another_key), NOT_VALID),
    "the public key as secret": (with_signature(signed_with_the_public_key_as_secret), NOT_VALID),
    "the client's secret": (with_signature(lambda c: jwt.encode(c, CLIENT_SECRET * 2, "HS256")), NOT_VALID),
    "no signature": (with_signature(lambda c: unsigned({"alg": "none"}, c)), NOT_VALID),
    "rubbish": (with_signature(lambda c: "rubbish"), NOT_VALID),
    "no token": (with_signature(lambda c: ""), "has sent no ID token"),
    "a broken token endpoint": (with_attributes(token_status=500), "does not answer as it should"),
    "a token endpoint elsewhere": (with_attributes(token_status=307), "does not answer as it should"),
    "nobody known here": (with_attributes(claims={"sub": "x", "preferred_username": "nobody"}), "not known here"),
    "a name of another kind": (
        with_attributes(claims={"sub": "x", "preferred_username": "<img src=x onerror=alert(1)>"}), "no user name"),
    "another person at userinfo": (
        with_attributes(claims={"sub": "x"}, userinfo={"sub": "y", "preferred_username": "alice"}), "somebody else"),
}  # fmt: skip
