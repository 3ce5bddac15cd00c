"""Who is asking: Django's session, or a bearer token of the cluster (OpenPAI's JWT, HS256).

Facts about the token: OpenPAI's rest-server, `src/utils/manager` and `src/middlewares/v2/token`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

import jwt
from channels.auth import get_user
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import InterfaceError, OperationalError
from django.http import parse_cookie
from django.utils import translation
from django.utils.module_loading import import_string
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from notifcenter.languages import language_for
from notifications.consumers import TRY_LATER
from notifications.socket_threads import in_thread
from preferences.languages import spoken
from preferences.selectors import application_tokens_accepted, chosen_languages

logger = logging.getLogger(__name__)

PAGE_USER_HEADER = "X-Notifcenter-User"
MAX_TOKEN_BYTES = 8 * 1024
SUBPROTOCOL = "notifcenter"
TOKEN_PREFIX = "bearer."  # noqa: S105 - a prefix, no secret
CLOCK_SKEW_SECONDS = 10
"""How far the clock that dates a token may be ahead of ours. Its end is taken at its word."""


class TokenRefusedError(Exception):
    """The bearer token opens nothing; the message says why, in ASCII without quotes, and is safe to show."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """`expires_at`: seconds since 1970, or None for a token without an end.

    `is_application`: one of the long-lived tokens that a user makes for programs.
    """

    user: AbstractUser
    expires_at: int | None
    is_application: bool


def bearer_of_token(token: str) -> Bearer:
    """The active user a token of the cluster stands for. Raises TokenRefusedError."""
    if not settings.PAI_JWT_SECRET:
        raise TokenRefusedError("Bearer tokens are not accepted here: PAI_JWT_SECRET is not set.")
    if len(token) > MAX_TOKEN_BYTES:
        raise TokenRefusedError("The token is too long.")
    claims = _claims(token)
    username = claims.get("username")
    if not isinstance(username, str) or not username.isprintable() or not username:
        raise TokenRefusedError("The token names no user.")
    if claims.get("jobSpecific"):
        raise TokenRefusedError("A token of a job's container does not open a user's inbox.")
    is_application = bool(claims.get("application"))
    if is_application and not application_tokens_accepted():
        raise TokenRefusedError("The administrator has switched application tokens off.")
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise TokenRefusedError("The user of this token is not known here.")
    if not user.is_active:
        raise TokenRefusedError("This user has been deactivated.")
    return Bearer(user, int(claims["exp"]) if "exp" in claims else None, is_application)


def _claims(token: str) -> dict[str, Any]:
    """What a token says that the cluster has signed and that holds now. Raises TokenRefusedError."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token, settings.PAI_JWT_SECRET, algorithms=["HS256"], leeway=CLOCK_SKEW_SECONDS
        )
        if int(claims.get("exp", time.time() + 1)) <= time.time():
            raise jwt.ExpiredSignatureError
    except jwt.ExpiredSignatureError:
        raise TokenRefusedError("The token has expired; sign in again.") from None
    except jwt.ImmatureSignatureError:
        raise TokenRefusedError("The token is not valid yet; the clocks of the servers may differ.") from None
    except jwt.InvalidAlgorithmError:
        raise TokenRefusedError("The token must be signed with HS256.") from None
    except jwt.PyJWTError:
        raise TokenRefusedError("The token is not valid.") from None
    return claims


_REFUSAL = "bearer_refusal"


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` for REST."""

    def authenticate(self, request: Request) -> tuple[AbstractUser, str] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            user = bearer_of_token(token.strip()).user
            translation.activate(language_for(request, user))  # until the middleware of languages ends
            return user, token
        except TokenRefusedError as error:
            setattr(request, _REFUSAL, str(error))
            raise AuthenticationFailed(str(error)) from None

    def authenticate_header(self, request: Request) -> str:
        """As RFC 6750, section 3 has it; DRF asks another instance than the one that refused."""
        reason = getattr(request, _REFUSAL, "")
        return f'Bearer error="invalid_token", error_description="{reason}"' if reason else "Bearer"


class PageSessionAuthentication(SessionAuthentication):
    """As DRF has it, for the user whose page asks: in another tab somebody else may have signed in meanwhile.

    Our own pages say in PAGE_USER_HEADER whose they are, percent-encoded; others need not.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        page_user = request.headers.get(PAGE_USER_HEADER)
        if found and page_user is not None and unquote(page_user) != found[0].get_username():
            raise AuthenticationFailed("Somebody else has signed in to this browser; load the page again.")
        return found


class PageSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    target_class = "notifcenter.auth.PageSessionAuthentication"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "notifcenter.auth.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class SocketAuthentication:
    """Puts `user`, `session` (or None), `subprotocol`, `bearer` (of a token, or None), `language` and `refusal` (a
    close code and a reason, or None) into a socket's scope.

    A browser sends cookies along from any page, so a session counts from the same origin only. A token is
    proof by itself, and is taken from the origins of CORS_ALLOWED_ORIGINS too.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        scope = {**scope, "subprotocol": None, "bearer": None, "session": None, "refusal": None}
        try:
            await self._authenticate(scope)
        except (OperationalError, InterfaceError):
            scope["refusal"] = TRY_LATER
        return await self._inner(scope, receive, send)

    async def _authenticate(self, scope: dict[str, Any]) -> None:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin1")
        offered = scope.get("subprotocols", [])
        if (
            SUBPROTOCOL in offered
        ):  # also for a refusal: a browser that gets no answer to its offer hears no code
            scope["subprotocol"] = SUBPROTOCOL
        own = not origin or is_own_origin(origin, scope.get("scheme", "ws"), headers)
        if not own and origin not in settings.CORS_ALLOWED_ORIGINS:
            scope["refusal"] = (4403, "This origin may not connect.")
            return
        asked = _asked_language(scope)
        tokens = [word.removeprefix(TOKEN_PREFIX) for word in offered if word.startswith(TOKEN_PREFIX)]
        if tokens:
            try:
                scope["bearer"], scope["language"] = await in_thread(_of_token, tokens[0], asked)
                scope["user"] = scope["bearer"].user
            except TokenRefusedError as error:
                scope["refusal"] = (4401, str(error))
        elif own:
            cookies = headers.get(b"cookie", b"")
            scope["session"], scope["user"], scope["language"] = await in_thread(_of_session, cookies, asked)
        else:
            scope["refusal"] = (4401, "A page on another origin needs a token.")


def _asked_language(scope: Mapping[str, Any]) -> str:
    """Of the address, `?lang=`; '' when it names none that we speak."""
    query = parse_qs(scope.get("query_string", b"").decode("latin1"))
    return spoken(query.get("lang", [""])[0])


def _of_token(token: str, asked: str) -> tuple[Bearer, str]:
    """What `bearer_of_token` says, and the language to speak; raises what it raises."""
    bearer = bearer_of_token(token)
    return bearer, asked or _own_language(bearer.user)


def _of_session(cookies: bytes, asked: str) -> tuple[SessionBase, AbstractUser | AnonymousUser, str]:
    """The session that a browser's cookies name, whose it is, and the language to speak.

    Channels' middleware for it would look at each frame whether it is the answer to the handshake, where a cookie could
    still be set; ours sets none.
    """
    key = parse_cookie(cookies.decode("latin1")).get(settings.SESSION_COOKIE_NAME)
    session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(key)
    user = get_user.func({"session": session})
    return session, user, asked or ("" if isinstance(user, AnonymousUser) else _own_language(user))


def _own_language(user: AbstractUser) -> str:
    own, site = chosen_languages(user_id=user.pk)
    return own or site


def is_own_origin(origin: str, scheme: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a page of this origin is ours: as the connection has it, or as BASE_URL or CSRF_TRUSTED_ORIGINS say.

    Behind a proxy the connection may tell neither the scheme nor the host that the browser uses.
    """
    scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    if settings.SECURE_PROXY_SSL_HEADER:
        name, secure = settings.SECURE_PROXY_SSL_HEADER
        sent = headers.get(name.removeprefix("HTTP_").replace("_", "-").lower().encode(), b"").decode(
            "latin1"
        )
        scheme = "https" if sent.split(",")[0].strip() == secure else scheme
    host = headers.get(b"host", b"").decode("latin1")
    ours = [f"{scheme}://{host}", settings.BASE_URL, *settings.CSRF_TRUSTED_ORIGINS]
    return any(_covers(one, origin) for one in ours)


def _covers(ours: str, origin: str) -> bool:
    (scheme, host), theirs = _parts(ours), _parts(origin)
    if host.startswith("*."):  # Django allows these in CSRF_TRUSTED_ORIGINS
        return theirs[0] == scheme and theirs[1].endswith(host[1:])
    return bool(host) and theirs == (scheme, host)


def _parts(url: str) -> tuple[str, str]:
    """Scheme and host with its port, the latter left out where browsers leave it out."""
    scheme, _, rest = url.lower().partition("://")
    return scheme, rest.partition("/")[0].removesuffix({"http": ":80", "https": ":443"}.get(scheme, "/"))
