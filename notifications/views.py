"""The inbox page. It works without script; with script, the custom element takes over."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from notifications import health, inbox, metrics, tokens
from notifications.api import NotificationPagination
from notifications.serializers import FindSerializer, MarkReadSerializer
from preferences.kinds import Event
from preferences.selectors import time_zone_of

logger = logging.getLogger(__name__)

TABS = ("unread", "all", "archived")


@require_GET
@login_required
def inbox_page(request: HttpRequest) -> HttpResponse:
    """`?tab=unread|all|archived`, `?event=`, `?q=`, `?cursor=`; what cannot be read is as if it were not there."""
    assert isinstance(request.user, User)
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "all"
    find = FindSerializer(data={"event": request.GET.getlist("event"), "q": request.GET.get("q", "")})
    wanted: dict[str, Any] = find.validated_data if find.is_valid() else {"event": [], "q": ""}
    found = inbox.find(
        user_id=request.user.pk,
        unread=tab == "unread",
        archived=tab == "archived",
        events=wanted["event"],
        text=wanted["q"],
    )
    pages = NotificationPagination()
    try:
        rows = pages.paginate_queryset(found, Request(request)) or []
    except ValidationError:  # a cursor that was cut or made up
        return redirect("inbox")
    context = {
        "items": [inbox.payload(row, row.user.get_username()) for row in rows],
        "unread": inbox.count_unread(request.user.pk).as_dict(),
        "tab": tab,
        "event": wanted["event"][0] if wanted["event"] else "",
        "events": Event.choices,
        "q": wanted["q"],
        "next_cursor": _cursor_of(pages.get_next_link()),
    }
    with timezone.override(time_zone_of(user=request.user)):
        return render(request, "notifications/inbox.html", context)


@require_POST
@login_required
def mark_read(request: HttpRequest) -> HttpResponse:
    """The form behind the page without script: `ids` or `up_to`, then back to `next`."""
    assert isinstance(request.user, User)
    fields: dict[str, object] = {}
    if "up_to" in request.POST:
        fields["up_to"] = request.POST["up_to"]
    elif "ids" in request.POST:
        fields["ids"] = request.POST.getlist("ids")
    which = MarkReadSerializer(data=fields)
    if which.is_valid():
        inbox.mark_read(user_id=request.user.pk, **which.validated_data)
    target = request.POST.get("next", "")
    own = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}
    )
    if not own:
        target = "/"
    return redirect(target)


@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """200, or 503 with what is wrong. Open to everybody: it names parts, never contents."""
    failing = health.failing()
    if failing:
        return JsonResponse({"status": "failing", "failing": failing}, status=503)
    return JsonResponse({"status": "ok"})


@require_GET
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus' text; 503 without the database, so that the scrape fails instead of showing zeros."""
    if settings.METRICS_TOKEN and not tokens.presents(request, settings.METRICS_TOKEN):
        headers = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        return _text("Send METRICS_TOKEN as a bearer token.", status=401, headers=headers)
    try:
        return HttpResponse(metrics.exposition(), content_type=metrics.CONTENT_TYPE)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("metrics cannot be read error=%r", str(error).strip())
        return _text("The database does not answer; /healthz says more.", status=503)


def _text(line: str, **more: Any) -> HttpResponse:
    return HttpResponse(f"{line}\n", content_type="text/plain; charset=utf-8", **more)


def _cursor_of(link: str | None) -> str:
    return parse_qs(urlsplit(link).query)["cursor"][0] if link else ""
