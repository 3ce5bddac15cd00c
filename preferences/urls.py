"""Addresses of preferences: the profile page, REST."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from preferences import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("profile/", views.profile, name="profile"),
    path("api/v1/preferences/", api.PreferencesView.as_view(), name="api-preferences"),
]
