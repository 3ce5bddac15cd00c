"""Guessing of passwords is slowed down: who fails too often, from one address, is refused for a while.

django-axes counts in the database, so that several web processes count together. Counted is the pair of user name and
address, so that nobody can keep a user out from elsewhere; and beside it the address alone, so that many names cannot
be tried either.
"""

from __future__ import annotations

import logging
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

logger = logging.getLogger(__name__)

IPV6_PREFIX = 64
"""What one customer gets: an address of IPv6 alone would not tell two attempts apart."""

MAX_HOPS = 20
"""Entries of X-Forwarded-For that are looked at, from its end."""


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Locks an address that has failed with many names, too."""

    def is_locked(self, request: HttpRequest, credentials: Any = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        failed: int | None = AccessAttempt.objects.filter(
            ip_address=request.axes_ip_address,  # type: ignore[attr-defined]
            attempt_time__gte=get_cool_off_threshold(request),
        ).aggregate(all=Sum("failures_since_start"))["all"]
        return (failed or 0) >= settings.SIGN_IN_FAILURES_PER_ADDRESS


def refused(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """The answer instead of axes' own: the sign-in page, which says how long to wait."""
    wait = settings.AXES_COOLOFF_TIME
    logger.warning("sign-in locked address=%s path=%r", client_address(request), request.path)
    context = {
        "form": AuthenticationForm(request),
        "next": request.POST.get("next", ""),
        "refusal": f"Too many attempts have failed. Try again in {wait.seconds // 60} minutes.",
    }
    page = render(request, "registration/login.html", context, status=429)
    page["Retry-After"] = str(wait.seconds)
    return page


def client_address(request: HttpRequest) -> str | None:
    """Where the request comes from; None when the server does not tell. Of IPv6, the network.

    Each proxy adds to X-Forwarded-For whom it was asked by, so its last entry that is none of TRUSTED_PROXIES is the
    client. What stands before that entry the client may have made up.
    """
    address = _address(request.META.get("REMOTE_ADDR", ""))
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-MAX_HOPS:]
    while address is not None and hops and any(address in network for network in settings.TRUSTED_PROXIES):
        nearer = _address(hops.pop().strip())
        if nearer is None:
            break
        address = nearer
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_PREFIX), strict=False).network_address)
    return str(address) if address else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
