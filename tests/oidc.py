"""An OpenID Connect provider on loopback that can be made to lie, and a person with a browser who signs in there.

It checks what a good one checks: the client's secret, the address to come back to, PKCE, and that a code is used once.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import requests
from jwt.algorithms import RSAAlgorithm

from tests.loopback import LoopbackServer, serving
from tests.rest_server import reply
from tests.tokens import rsa_key

CLIENT_ID, CLIENT_SECRET = "notifcenter", "secret-of-the-client"
KEY_ID = "key-1"


def jwk() -> dict[str, Any]:
    """As Azure AD shows its keys: without `alg`, with things of its own."""
    key: dict[str, Any] = RSAAlgorithm.to_jwk(rsa_key().public_key(), as_dict=True)
    return {
        **key,
        "use": "sig",
        "kid": KEY_ID,
        "x5t": KEY_ID,
        "x5c": ["MIIC"],
        "cloud_instance_name": "example.org",
    }


class Provider:
    """`claims` are of whoever signs in next. The other attributes are what a bad provider does differently."""

    def __init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.token(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = LoopbackServer(Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.behave()

    def behave(self) -> None:
        self.claims: dict[str, Any] = {"sub": "subject-of-alice", "preferred_username": "alice"}
        self.userinfo: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.token_status = 200
        self.asked_for: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, rsa_key(), "RS256", headers={"kid": KEY_ID})

    def get(self, handler: BaseHTTPRequestHandler) -> None:
        path, query = urlsplit(handler.path).path, urlsplit(handler.path).query
        match path:
            case "/.well-known/openid-configuration":
                reply(handler, {
                    "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
                    "userinfo_endpoint": f"{self.url}/userinfo",
                    "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"], **self.metadata,
                })  # fmt: skip
            case "/keys":
                reply(handler, {"keys": [jwk()]})
            case "/userinfo":
                reply(handler, self.userinfo)
            case "/authorize":
                asked = {name: values[0] for name, values in parse_qs(query).items()}
                self.asked_for.append(asked)
                code = secrets.token_urlsafe()
                self._codes[code] = asked
                back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
                reply(handler, b"", 302, {"Location": back})
            case _:
                reply(handler, {}, 404)

    def token(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self._codes.pop(given.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        known = handler.headers.get("Authorization") == f"Basic {basic}" or (
            (given.get("client_id"), given.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        if not known:
            reply(handler, {"error": "invalid_client"}, 401)
        elif (
            asked is None
            or asked["redirect_uri"] != given.get("redirect_uri")
            or asked.get("code_challenge_method") != "S256"
            or asked.get("code_challenge", "") != challenge.decode().rstrip("=")
        ):
            reply(handler, {"error": "invalid_grant", "error_description": "<b>no</b>"}, 400)
        else:
            now = int(time.time())
            claims = {
                "iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.claims,
            }  # fmt: skip
            answer = {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(claims)}
            reply(
                handler, answer if answer["id_token"] else {}, self.token_status, {"Location": "/elsewhere"}
            )


@contextmanager
def provider() -> Iterator[Provider]:
    started = Provider()
    with serving(started.server):
        yield started


class Person:
    """A browser that follows redirects by hand."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.browser = requests.Session()
        self.browser.trust_env = False

    def get(self, url: str) -> requests.Response:
        return self.browser.get(url, allow_redirects=False, timeout=30)

    def to_the_provider(self, next_url: str | None = None) -> str:
        """Begin; the address at which the provider waits."""
        query = "" if next_url is None else "?" + urlencode({"next": next_url})
        answer = self.get(f"{self.site}/accounts/oidc/{query}")
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def back_again(self, next_url: str | None = None) -> str:
        """The address to which the provider sends the browser back."""
        return self.get(self.to_the_provider(next_url)).headers["Location"]

    def sign_in(self, next_url: str | None = None) -> requests.Response:
        return self.get(self.back_again(next_url))

    @property
    def name(self) -> str:
        """Who is signed in, '' for nobody."""
        answer = self.get(f"{self.site}/api/v2/users/me")
        return "" if answer.status_code == 401 else str(answer.json()["username"])
