"""The two addresses of a sign-in at an OpenID Connect provider."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import oidc
from accounts.matching import SignInRefusedError

MAX_NEXT = 2000
BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponseBase:
    """To the provider; `?next=` is a page of ours to go to afterwards."""
    next_url = _own_page(request, request.GET.get("next", ""))
    if request.user.is_authenticated:
        return redirect(next_url)
    try:
        return oidc.begin(request, next_url)
    except SignInRefusedError as error:
        return _refused(request, error)


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Back from the provider."""
    try:
        user, next_url = oidc.finish(request)
    except SignInRefusedError as error:
        return _refused(request, error)
    login(request, user, backend=BACKEND)
    return redirect(_own_page(request, next_url))


def _own_page(request: HttpRequest, url: str) -> str:
    own = (
        url.startswith("/")
        and len(url) <= MAX_NEXT
        and url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
    )
    return url if own else resolve_url(settings.LOGIN_REDIRECT_URL)


def _refused(request: HttpRequest, error: SignInRefusedError) -> HttpResponse:
    status = 503 if isinstance(error, oidc.ProviderAwayError) else 403
    context = {"form": AuthenticationForm(request), "refusal": str(error)}
    return render(request, "registration/login.html", context, status=status)
