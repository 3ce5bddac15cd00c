"""Addresses of preferences: the profile page, REST."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from preferences import api, job_file_api, openpai_api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("profile/", views.profile, name="profile"),
    path("job-file/", views.job_file, name="job-file"),
    path("job-file/download/", views.download_job_file, name="job-file-download"),
    path("api/v1/preferences/", api.PreferencesView.as_view(), name="api-preferences"),
    path("api/v1/preferences/words/", api.WordsView.as_view(), name="api-preferences-words"),
    path("api/v1/job-file/", job_file_api.JobFileView.as_view(), name="api-job-file"),
    re_path(
        r"^api/v2/users/(?P<username>[^/]+)(?:/extension)?/?$",
        openpai_api.UserView.as_view(),
        name="openpai-user",
    ),
]
