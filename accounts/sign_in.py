"""Guessing of passwords is slowed down: who fails too often, from one address, is refused for a while.

django-axes counts in the database, so that several web processes count together. Counted is the pair of user name and
address, so that nobody can keep a user out from elsewhere; and beside it the address alone, so that many names cannot
be tried either.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.db import connection, transaction
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext

logger = logging.getLogger(__name__)

IPV6_PREFIX = 64
"""What one customer gets: an address of IPv6 alone would not tell two attempts apart."""

MAX_HOPS = 20
"""Entries of X-Forwarded-For that are looked at, from its end."""

View = Callable[..., HttpResponseBase]

FORGET_ROWS, FORGET_PAUSE_SECONDS = 1000, 0.05


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Locks an address that has failed with many names, too, and lets no sign-in clean up after all others."""

    def is_locked(self, request: HttpRequest, credentials: Any = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        failed: int | None = AccessAttempt.objects.filter(
            ip_address=request.axes_ip_address,  # type: ignore[attr-defined]
            attempt_time__gte=get_cool_off_threshold(request),
        ).aggregate(all=Sum("failures_since_start"))["all"]
        return (failed or 0) >= settings.SIGN_IN_FAILURES_PER_ADDRESS

    def clean_expired_user_attempts(
        self, request: HttpRequest | None = None, credentials: dict[str, Any] | None = None
    ) -> int:
        """Those of this name from this address, which would be counted on; the rest is `forget_expired`'s."""
        if request is None:
            return 0
        removed: int
        removed, _ = AccessAttempt.objects.filter(
            username=get_client_username(request, credentials),
            ip_address=request.axes_ip_address,  # type: ignore[attr-defined]
            attempt_time__lte=get_cool_off_threshold(request),
        ).delete()
        return removed


def forget_expired(*, wait: Callable[[float], bool]) -> int:
    """Remove the failures that lock nobody any more, the oldest first; `wait` pauses, and returns whether to stop."""
    before, removed = timezone.now() - settings.AXES_COOLOFF_TIME, 0
    while True:
        oldest = AccessAttempt.objects.filter(attempt_time__lte=before).order_by("id")
        ids = list(oldest.values_list("id", flat=True)[:FORGET_ROWS])
        removed += int(AccessAttempt.objects.filter(id__in=ids).delete()[0])
        if len(ids) < FORGET_ROWS or wait(FORGET_PAUSE_SECONDS):
            return removed


def one_at_a_time(view: View) -> View:
    """A sign-in page that looks at one attempt of an address at a time, also with several web processes.

    Attempts that come all at once would each be let through, because none of the others has failed yet.
    """

    @wraps(view)
    def waiting(request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *arguments, **options)
        with transaction.atomic(), connection.cursor() as cursor:
            key = f"notifcenter sign-in {client_address(request)}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            return view(request, *arguments, **options)

    return waiting


def refused(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """The answer instead of axes' own: the sign-in page, which says how long to wait."""
    wait = settings.AXES_COOLOFF_TIME
    minutes = wait.seconds // 60
    logger.warning("sign-in locked address=%s path=%r", client_address(request), request.path)
    context = {
        "form": AuthenticationForm(request),
        "next": request.POST.get("next", ""),
        "refusal": ngettext(
            "Too many attempts have failed. Try again in %(minutes)d minute.",
            "Too many attempts have failed. Try again in %(minutes)d minutes.",
            minutes,
        )
        % {"minutes": minutes},
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
