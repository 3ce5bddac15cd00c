"""The part of the profile page about targets: add, try, remove."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from notifications import own_targets
from preferences import targets
from preferences.kinds import Channel
from preferences.models import Target
from preferences.target_form import TargetForm
from preferences.views import profile_page

PLACE = "/profile/#targets"


@login_required
@require_POST
@never_cache
def add(request: HttpRequest) -> HttpResponse:
    """A key that is shown once stands on a page of its own, which is not kept."""
    assert isinstance(request.user, User)
    form = TargetForm(request.POST)
    if not form.is_valid():
        return profile_page(request, target_form=form)
    try:
        target, secret = own_targets.add(
            user=request.user,
            channel=Channel(form.cleaned_data["channel"]),
            name=form.cleaned_data["name"],
            address=form.cleaned_data["address"],
        )
    except targets.TargetRefused as refused:
        form.add_error(None, str(refused))
        return profile_page(request, target_form=form)
    if secret:
        return render(request, "preferences/target_secret.html", {"target": target, "secret": secret})
    messages.success(
        request, gettext("%(name)s is added. Send a test to see whether it works.") % {"name": target.name}
    )
    return redirect(PLACE)


@login_required
@require_POST
def test(request: HttpRequest, target_id: int) -> HttpResponse:
    target = _own(request, target_id)
    try:
        error = own_targets.send_test(target)
    except own_targets.TooSoonError:
        messages.warning(
            request,
            gettext("A test was sent to %(name)s a moment ago; wait a few seconds.") % {"name": target.name},
        )
    else:
        if error:
            messages.error(
                request,
                gettext("The test has not reached %(name)s. %(error)s")
                % {"name": target.name, "error": error},
            )
        else:
            messages.success(
                request, gettext("The test was taken by %(name)s: look there.") % {"name": target.name}
            )
    return redirect(_place(target))


@login_required
@require_POST
def remove(request: HttpRequest, target_id: int) -> HttpResponse:
    target = _own(request, target_id)
    targets.remove(target)
    messages.success(request, gettext("%(name)s is removed.") % {"name": target.name})
    return redirect(_place(target))


def _place(target: Target) -> str:
    return "/profile/#browsers" if target.digest else PLACE


def _own(request: HttpRequest, target_id: int) -> Target:
    assert isinstance(request.user, User)
    target = targets.own(request.user).filter(pk=target_id).select_related("user").first()
    if target is None:
        raise Http404
    return target
