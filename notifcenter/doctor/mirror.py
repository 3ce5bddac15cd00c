"""Tells `notifcenter doctor`, and nobody else, how its request has come in."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.core import signing
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from accounts.sign_in import client_address

PATH = "/healthz/mirror"
HEADER = "X-Notifcenter-Doctor"
_SALT = "notifcenter.doctor"
VALID_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Reflection:
    """`peer` is who holds the connection, from `port`; `client` who is taken for the person."""

    peer: str
    port: int
    forwarded: str
    client: str
    secure: bool


def pass_() -> str:
    """What only a holder of SECRET_KEY can make."""
    return signing.dumps("mirror", salt=_SALT)


@require_GET
def mirror(request: HttpRequest) -> JsonResponse:
    try:
        signing.loads(request.headers.get(HEADER, ""), salt=_SALT, max_age=VALID_SECONDS)
    except signing.BadSignature:
        raise Http404 from None
    meta = request.META
    return JsonResponse(
        asdict(
            Reflection(
                peer=meta.get("REMOTE_ADDR", ""),
                port=int(meta.get("REMOTE_PORT") or 0),
                forwarded=meta.get("HTTP_X_FORWARDED_FOR", ""),
                client=client_address(request) or "",
                secure=request.is_secure(),
            )
        )
    )
