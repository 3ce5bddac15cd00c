"""Addresses of the sign-in at an OpenID Connect provider; there are none without one."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

urlpatterns: list[URLPattern | URLResolver] = []

if settings.OIDC_ISSUER_URL:
    from accounts import oidc_views

    urlpatterns += [
        path("accounts/oidc/", oidc_views.begin, name="oidc"),
        path("accounts/oidc/callback/", oidc_views.callback, name="oidc-callback"),
    ]
