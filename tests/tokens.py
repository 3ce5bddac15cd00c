"""Bearer tokens of the cluster, good ones and all kinds that must open nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

SECRET = "a-secret-of-the-cluster-that-is-long-enough-even-for-hs512-tokens-in-tests"


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A token as OpenPAI signs it, for alice. A claim of None is left out."""
    said = {"username": "alice", "application": False, "iat": int(time.time()), **claims}
    return jwt.encode({name: value for name, value in said.items() if value is not None}, secret, algorithm)


def unsigned(header: Any, claims: Any, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@cache
def rsa_key() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed_with_rsa() -> str:
    return jwt.encode({"username": "alice"}, rsa_key(), "RS256")


def resigned(header: Any) -> str:
    """A good signature over the claims, under a header that it was not made for."""
    return unsigned(header, {"username": "alice"}, base64.urlsafe_b64decode(token().split(".")[2] + "=="))


ALICE = {"username": "alice"}
LATER, EARLIER = 3600, -3600

REFUSED: dict[str, tuple[Callable[[], str], str]] = {
    "expired": (lambda: token(exp=int(time.time()) + EARLIER), "has expired"),
    "expired just now": (lambda: token(exp=int(time.time())), "has expired"),
    "not yet valid": (lambda: token(nbf=int(time.time()) + LATER), "not valid yet"),
    "made in the future": (lambda: token(iat=int(time.time()) + LATER), "not valid yet"),
    "an end that is no number": (lambda: token(exp="tomorrow"), "is not valid"),
    "an end without bound": (lambda: token(exp=float("inf")), "is not valid"),
    "HS384": (lambda: token(algorithm="HS384"), "HS256"),
    "HS512": (lambda: token(algorithm="HS512"), "HS256"),
    "RS256": (signed_with_rsa, "HS256"),
    "no algorithm": (lambda: jwt.encode(ALICE, "", algorithm="none"), "HS256"),
    "none, in capitals": (lambda: unsigned({"alg": "NONE", "typ": "JWT"}, ALICE), "HS256"),
    "no algorithm named": (lambda: unsigned({"typ": "JWT"}, ALICE), "HS256"),
    "an algorithm that is a list": (lambda: unsigned({"alg": ["HS256"]}, ALICE), "HS256"),
    "none, with a signature": (lambda: resigned({"alg": "none"}), "HS256"),
    "a signature of something else": (lambda: resigned({"alg": "HS256"}), "is not valid"),
    "another secret": (lambda: token("another-secret-that-is-long-enough-for-it"), "is not valid"),
    "without its signature": (lambda: token().rpartition(".")[0] + ".", "is not valid"),
    "cut": (lambda: token()[:-4], "is not valid"),
    "with a changed claim": (
        lambda: ".".join([token().split(".")[0], unsigned({}, ALICE).split(".")[1], token().split(".")[2]]),
        "is not valid",
    ),
    "a job's token": (lambda: token(jobSpecific=True, encodedFrameworkName="x"), "job's container"),
    "unknown user": (lambda: token(username="nobody"), "not known here"),
    "another spelling of the user": (lambda: token(username="Alice"), "not known here"),
    "no user": (lambda: token(username=None), "names no user"),
    "an empty user": (lambda: token(username=""), "names no user"),
    "a user that is no text": (lambda: token(username=["alice"]), "names no user"),
    "a user with a NUL": (lambda: token(username="alice\x00"), "names no user"),
    "claims that are a list": (
        lambda: jwt.api_jws.encode(b'["alice"]', SECRET, algorithm="HS256"),
        "is not valid",
    ),
    "rubbish": (lambda: "rubbish", "is not valid"),
    "four parts": (lambda: token() + ".x", "is not valid"),
    "deeply nested": (lambda: _encoded(b'{"a":' * 1_100) + ".e30.c2ln", "is not valid"),
    "too long": (lambda: "x" * 9_000, "too long"),
    "too long, and good": (lambda: token(more="x" * 9_000), "too long"),
}
"""By name: how it is made, and what the refusal says."""


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
