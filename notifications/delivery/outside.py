"""HTTP to addresses that users have typed in: no redirect, no credentials of ours, bounded in all ways."""

from __future__ import annotations

import os
import socket
import ssl
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any

import requests
from django.conf import settings
from django.utils import timezone
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from notifications.delivery.addresses import UNENCRYPTED, is_allowed
from notifications.delivery.base import DeliveryError
from notifications.delivery.guard import ForbiddenError, Guard, OutOfTimeError, present_guard

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1024
MAX_RETRY_AFTER_SECONDS = 6 * 60 * 60.0
TEMPORARY = frozenset({408, 425, 429})
FIRST_SERVER_ERROR = 500
REDIRECTS = range(300, 400)


class OutsideSession(requests.Session):
    """Works inside `guarded` only. Raises what requests raises; `trouble` turns that into a DeliveryError."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # proxies, and passwords from a .netrc
        self.headers["Accept-Encoding"] = "identity"
        self.mount("http://", _BoundedAdapter())
        self.mount("https://", _BoundedAdapter())

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        guard = present_guard()
        guard.check_time()
        url = request.url or ""
        guard.encrypted = url.startswith("https:")
        seconds = min(CONNECT_SECONDS, guard.left_seconds), guard.left_seconds
        response = super().send(
            request,
            **{
                **options,
                "allow_redirects": False,
                "proxies": _proxies(url, guard),
                "timeout": seconds,
                "verify": os.environ.get("REQUESTS_CA_BUNDLE") or True,
            },
        )
        guard.check_time()  # what was cut off may look complete
        return response


def _proxies(url: str, guard: Guard) -> dict[str, str]:
    """Through TARGETS_PROXY, where it is set, goes all but what the administrator lets users reach inside.

    The proxy resolves the name anew, so what it lets through in the end is its own business; what we can tell before
    is refused here. Raises ForbiddenError.
    """
    if not settings.TARGETS_PROXY:
        return {}
    found = _resolved(url)
    if found and all(is_allowed(host, settings.TARGETS_ALLOW_PRIVATE) for host, _ in found):
        return {}
    for host, port in found:
        guard.check_address(host, port)
    if not guard.encrypted:
        raise ForbiddenError(UNENCRYPTED)
    guard.proxies = _resolved(settings.TARGETS_PROXY)
    return {"https": settings.TARGETS_PROXY}


def _resolved(url: str) -> frozenset[tuple[str, int]]:
    """Addresses and port; none for a name that is not known here."""
    parts = parse_url(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo((parts.host or "").strip("[]"), port, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    return frozenset((str(address[0]), port) for *_, address in found)


class _BoundedAdapter(HTTPAdapter):
    """Reads no more of an answer than anybody needs."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        try:
            body = resp.read(MAX_ANSWER_BYTES, decode_content=True)
        except (HTTPError, OSError) as error:
            raise requests.ConnectionError(error, request=req) from error
        finally:
            resp.close()
        headers = {
            name: value
            for name, value in resp.headers.items()
            if name.lower() not in ("content-encoding", "content-length", "transfer-encoding")
        }
        short = HTTPResponse(
            BytesIO(body), headers=headers, status=resp.status, reason=resp.reason, preload_content=False
        )
        return super().build_response(req, short)


def refusal(response: requests.Response) -> DeliveryError | None:
    """What an answer other than 2xx means for a delivery."""
    status = response.status_code
    if response.ok and status not in REDIRECTS:
        return None
    if status in REDIRECTS:
        return DeliveryError(
            f"The other side answered {status}, a redirect, which is not followed.", permanent=True
        )
    permanent = status not in TEMPORARY and status < FIRST_SERVER_ERROR
    return DeliveryError(
        f"The other side answered {status}.", permanent=permanent, retry_after_seconds=_retry_after(response)
    )


def trouble(error: Exception) -> DeliveryError:
    """What an exception from `OutsideSession` means for a delivery. No text shows the address, which is a secret."""
    guard = present_guard()
    if guard.is_out_of_time:
        return DeliveryError(f"There was {OutOfTimeError(guard.seconds)}.", permanent=False)
    root = _root(error)
    match root:
        case ForbiddenError():
            return DeliveryError(f"Not sent: {root}.", permanent=True)
        case ssl.SSLCertVerificationError():
            return DeliveryError(f"The certificate is not valid: {root.verify_message}.", permanent=False)
        case TimeoutError():
            return DeliveryError("There was no answer in time.", permanent=False)
        case OSError() if root.strerror:
            return DeliveryError(f"There is no connection: {root.strerror}.", permanent=False)
        case _:
            return DeliveryError(f"There is no usable answer ({type(root).__name__}).", permanent=False)


def _root(error: BaseException) -> BaseException:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error


def _retry_after(response: requests.Response) -> float:
    """Seconds, from seconds or a date (RFC 9110, 10.2.3); 0 for none that can be read."""
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal():
        seconds = float(text[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(text) - timezone.now()).total_seconds()
        except (TypeError, ValueError):
            return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)
