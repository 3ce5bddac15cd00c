"""The profile page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from preferences import selectors, services
from preferences.forms import ProfileForm


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
        messages.success(request, "Your preferences are saved.")
        return redirect("profile")
    return render(request, "preferences/profile.html", {"form": form})
