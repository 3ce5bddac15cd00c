"""The inbox page. It works without script; with script, the custom element takes over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from notifications import inbox, marking
from notifications.inbox_address import PERIODS, TABS, View, view_of
from notifications.pages import NotificationPages
from notifications.serializers import BulkSerializer, MarkReadSerializer
from preferences.kinds import Event
from preferences.selectors import time_zone_of
from preferences.timing import tomorrow

DONE = {
    "read": _("marked as read"),
    "unread": _("marked as unread"),
    "archive": _("archived"),
    "unarchive": _("moved to the inbox"),
    "save": _("saved"),
    "unsave": _("no longer saved"),
    "snooze": _("put off until tomorrow morning"),
    "unsnooze": _("back in the inbox"),
}


@require_GET
@login_required
def inbox_page(request: HttpRequest) -> HttpResponse:
    """A page of what the address asks for; a cursor that was cut or made up leads to the beginning."""
    assert isinstance(request.user, User)
    with timezone.override(time_zone_of(user=request.user)):
        view = view_of(request.GET)
        pages = NotificationPages()
        try:
            rows = pages.read(Request(request), user_id=request.user.pk, filters=view.filters)
        except ValidationError:
            return redirect("inbox")
        items = [inbox.payload(row, row.user.get_username()) for row in rows]
        context = {
            "items": items,
            "groups": _groups(items, view),
            "unread": inbox.count_unread(request.user.pk).as_dict(),
            "view": view,
            "tabs": TABS.items(),
            "periods": [(value, title) for value, (title, _) in PERIODS.items()],
            "events": Event.choices,
            "next_cursor": _cursor_of(pages.get_next_link()),
        }
        return render(request, "notifications/inbox.html", context)


def _groups(items: Iterable[dict[str, Any]], view: View) -> list[tuple[str, list[dict[str, Any]]]]:
    """Pairs of title and items, in the order of the newest item of each."""
    today = timezone.localdate()

    def day(item: dict[str, Any]) -> str:
        ago = (today - timezone.localdate(item["returned_at"] or item["created_at"])).days
        return gettext("Today") if ago <= 0 else gettext("Yesterday") if ago == 1 else gettext("Earlier")

    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in items:
        job = item["job"]
        key = (
            (job["framework"] or job["name"], job["name"] or item["title"])
            if view.by_job
            else ("", day(item))
        )
        groups.setdefault(key, []).append(item)
    return [(title, own) for (_, title), own in groups.items()]


@require_POST
@login_required
def mark_read(request: HttpRequest) -> HttpResponse:
    """The form behind "mark all read" without script: `up_to` or `ids`, then back to `next`."""
    assert isinstance(request.user, User)
    fields: dict[str, object] = {}
    if "up_to" in request.POST:
        fields["up_to"] = request.POST["up_to"]
    elif "ids" in request.POST:
        fields["ids"] = request.POST.getlist("ids")
    which = MarkReadSerializer(data=fields)
    if which.is_valid():
        inbox.mark_read(user_id=request.user.pk, **which.validated_data)
    return _back(request)


@require_POST
@login_required
def change(request: HttpRequest) -> HttpResponse:
    """The form behind the rows without script: `do` is an action for the `ids` that are ticked, or "action:id"."""
    assert isinstance(request.user, User)
    action, _, one = request.POST.get("do", "").partition(":")
    ids = [one] if one else request.POST.getlist("ids")
    until = {"until": tomorrow(timezone.now(), time_zone_of(user=request.user))} if action == "snooze" else {}
    what = BulkSerializer(data={"ids": ids, "action": action, **until})
    if action in DONE and what.is_valid():
        changed = marking.change(user_id=request.user.pk, **what.validated_data)
        messages.success(
            request, gettext("%(count)d %(done)s.") % {"count": changed.count, "done": DONE[action]}
        )
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    own = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}
    )
    return redirect(target if own else "/")


def _cursor_of(link: str | None) -> str:
    return parse_qs(urlsplit(link).query)["cursor"][0] if link else ""
