"""The page of a sweep. It works without script."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from notifications import wording
from notifications.groups import wishes
from notifications.groups.models import JobState
from notifications.groups_api import ALL_ENDED, jobs_of
from preferences.job_forms import MuteForm
from preferences.selectors import time_zone_of

JOBS_ON_A_PAGE = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def group_page(request: HttpRequest, group_id: int) -> HttpResponse:
    """`?state=`, `?page=`. POST: `tell` ("on", "off"), or the form that mutes."""
    assert isinstance(request.user, User)
    group = wishes.visible_to(request.user).filter(pk=group_id).first()
    if group is None:
        raise Http404("There is no such group.")
    zone = time_zone_of(user=request.user)
    is_mute = request.method == "POST" and "tell" not in request.POST
    form = MuteForm(request.POST if is_mute else None, mute=wishes.mute_of(group), zone=zone)
    if request.method == "POST" and not is_mute:
        try:
            wishes.change(group=group, tell_when_ended=request.POST["tell"] == "on")
        except wishes.AllEndedError:
            messages.warning(request, ALL_ENDED)
        return redirect(request.path)
    if is_mute and form.is_valid():
        wishes.change(group=group, mute=form.chosen())
        messages.success(request, gettext("Saved."))
        return redirect(request.path)
    state = request.GET.get("state", "")
    state = state if state in [one.label for one in JobState] else ""
    page = Paginator(jobs_of(group, state), JOBS_ON_A_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "group": group,
        "line": wording.counts_line(group.counts),
        "form": form,
        "state": state,
        "states": [(one.label, group.counts[one.label]) for one in JobState],
        "page": page,
    }
    with timezone.override(zone):
        return render(request, "notifications/group.html", context)
