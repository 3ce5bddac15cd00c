"""Sign-in at an OpenID Connect provider: authorization code flow with state, nonce and PKCE.

Authlib checks signature, issuer, audience, nonce and times of the ID token. Imported only when a provider is
configured.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import requests
from authlib.integrations.django_client import OAuth, OAuthError
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from accounts.matching import SignInRefusedError, user_of, username_of

logger = logging.getLogger(__name__)

NAME = "oidc"
DISCOVERY = "/.well-known/openid-configuration"
TIMEOUT_SECONDS = 10
CLOCK_SKEW_SECONDS = 60
MAX_UNFINISHED = 10
"""Sign-ins that one browser may have begun and not finished."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures with a public key. `none` and HMAC are out, whatever a provider says that it supports."""

_ERROR_CODE = re.compile(r"[a-z_]{1,40}")


class ProviderAwayError(SignInRefusedError):
    """The provider cannot be asked now."""


def begin(request: HttpRequest, next_url: str) -> HttpResponseRedirect:
    """Send the browser to the provider; it comes back to `finish`, and goes on to `next_url`."""
    with _told_in_one_line("begin"):
        client = _provider()
        _forget_unfinished(request)
        callback = settings.BASE_URL + reverse("oidc-callback")
        begun = client.create_authorization_url(callback)
        client.save_authorize_data(request, redirect_uri=callback, next_url=next_url, **begun)
        return HttpResponseRedirect(begun["url"])


def finish(request: HttpRequest) -> tuple[User, str]:
    """Who came back, and where to. Raises SignInRefusedError."""
    with _told_in_one_line("finish"):
        client = _provider()
        begun = client.framework.get_state_data(request.session, request.GET.get("state", ""))
        if begun is None:
            raise SignInRefusedError(
                gettext("This sign-in was not begun in this browser, or was finished before. Try again.")
            )
        issuer = client.server_metadata["issuer"]
        token = client.authorize_access_token(
            request,
            claims_options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
            },
            leeway=CLOCK_SKEW_SECONDS,
        )
        claims = token.get("userinfo")
        if not claims:
            raise SignInRefusedError(gettext("The provider has sent no ID token."))
        user = user_of(
            issuer=issuer,
            subject=claims["sub"],
            username=username_of(
                _with_name(client, token, claims),
                claim=settings.OIDC_USERNAME_CLAIM,
                domain=settings.OIDC_USERNAME_DOMAIN,
            ),
            create=settings.OIDC_CREATE_USERS,
        )
        return user, begun["next_url"]


def _with_name(client: Any, token: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """Some providers name the user at the userinfo endpoint only. Its subject must be the ID token's."""
    if settings.OIDC_USERNAME_CLAIM in claims or "userinfo_endpoint" not in client.server_metadata:
        return claims
    more: Mapping[str, Any] = client.userinfo(token=token)
    if more.get("sub") != claims["sub"]:
        raise SignInRefusedError(gettext("The provider tells of somebody else than who signed in."))
    return more


@cache
def _client() -> Any:
    return OAuth().register(
        NAME,
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET,
        server_metadata_url=settings.OIDC_ISSUER_URL + DISCOVERY,
        client_kwargs={
            "scope": settings.OIDC_SCOPES,
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_SECONDS,
            "max_redirects": 0,  # the client secret goes to the provider's own addresses only
        },
    )


def _provider() -> Any:
    """The client, with what the provider says of itself read and checked."""
    client = _client()
    about = client.load_server_metadata()
    if about["issuer"].rstrip("/") != settings.OIDC_ISSUER_URL:
        _client.cache_clear()
        raise ValueError(f"OIDC_ISSUER_URL: the provider calls itself {about['issuer']!r}")
    supported = about.get("id_token_signing_alg_values_supported", ())
    about["id_token_signing_alg_values_supported"] = [name for name in ALGORITHMS if name in supported] or [
        "RS256"
    ]
    if "client_secret_basic" not in about.get(
        "token_endpoint_auth_methods_supported", ["client_secret_basic"]
    ):
        client.client_kwargs["token_endpoint_auth_method"] = "client_secret_post"  # noqa: S105
    return client


def _forget_unfinished(request: HttpRequest) -> None:
    begun = [key for key, _ in request.session.items() if key.startswith(f"_state_{NAME}_")]
    for key in begun[: max(0, len(begun) - MAX_UNFINISHED + 1)]:
        del request.session[key]


@contextmanager
def _told_in_one_line(step: str) -> Iterator[None]:
    """Whatever a provider answers, and whatever the library makes of it, ends as a SignInRefusedError."""
    try:
        yield
    except SignInRefusedError as error:
        logger.warning("sign-in refused step=%s error=%r", step, str(error))
        raise
    except requests.RequestException as error:
        logger.warning("provider away step=%s error=%s", step, type(error).__name__)
        raise ProviderAwayError(
            "The provider of the sign-in does not answer as it should. Try again later."
        ) from None
    except OAuthError as error:
        code = error.error if _ERROR_CODE.fullmatch(str(error.error)) else "no code"
        logger.warning("sign-in refused step=%s error=%r", step, f"by the provider: {code}")
        raise SignInRefusedError(
            gettext("The provider has refused the sign-in (%(code)s).") % {"code": code}
        ) from None
    except Exception as error:
        logger.warning("sign-in refused step=%s error=%r", step, f"{type(error).__name__}: {error}"[:200])
        raise SignInRefusedError(
            gettext("The provider's answer is not valid for this sign-in. Try again.")
        ) from None
