"""The profile page, and the page that sets the notification block in a job's file."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from preferences import browsers, selectors, services, targets
from preferences.forms import ProfileForm
from preferences.job_file_form import JobFileForm, clean_name, decoded
from preferences.kinds import Channel
from preferences.target_form import TargetForm


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """The signed-in user's own choices."""
    assert isinstance(request.user, User)
    form = ProfileForm(
        request.POST if request.method == "POST" else None, profile=selectors.profile(user=request.user)
    )
    if request.method == "POST" and form.is_valid():
        services.save_preferences(user=request.user, **form.changes())
        messages.success(request, gettext("Your preferences are saved."))
        return redirect("profile")
    return profile_page(request, form=form)


def profile_page(
    request: HttpRequest, *, form: ProfileForm | None = None, target_form: TargetForm | None = None
) -> HttpResponse:
    """The page with these forms as they have been filled in; the others are fresh."""
    assert isinstance(request.user, User)
    form = form or ProfileForm(profile=selectors.profile(user=request.user))
    context = {
        "form": form,
        "push_offered": Channel.WEBPUSH in form.profile.site.channels_on,
        "browsers": browsers.of(request.user),
        "target_form": target_form or TargetForm(),
        "targets": targets.typed_in(request.user),
        "max_targets": targets.MAX_TARGETS,
    }
    return render(request, "preferences/profile.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def job_file(request: HttpRequest) -> HttpResponse:
    """Takes a job's file and the wished events; shows the file with that block set. Nothing is stored."""
    assert isinstance(request.user, User)
    wanted = selectors.profile(user=request.user).default_events
    sent = request.method == "POST"
    form = JobFileForm(
        request.POST if sent else None,
        request.FILES if sent else None,
        initial={"events": [event.value for event in wanted]},
    )
    return render(request, "preferences/job_file.html", {"form": form, "done": form.is_valid()})


@login_required
@require_POST
def download_job_file(request: HttpRequest) -> HttpResponse:
    """The file that the page has made, byte for byte, as a file to be saved."""
    try:
        content = decoded(request.POST.get("edited", ""))
    except ValueError:
        return HttpResponseBadRequest("This is no file of ours. Go back and make it again.")
    disposition = content_disposition_header(True, clean_name(request.POST.get("name", "")))
    headers = {"Content-Disposition": disposition or "attachment"}
    return HttpResponse(content, content_type="application/yaml", headers=headers)
