"""All addresses; the apps' own are in their `urls.py`."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from django.views.decorators.http import require_http_methods
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.sign_in import one_at_a_time
from notifcenter.doctor import mirror

sign_in = require_http_methods(["GET", "HEAD", "POST"])(
    one_at_a_time(auth_views.LoginView.as_view(redirect_authenticated_user=True))
)
admin.site.login = one_at_a_time(admin.site.login)  # type: ignore[method-assign,assignment]

urlpatterns = [
    path("", include("notifications.urls")),
    path("", include("preferences.urls")),
    path("", include("accounts.urls")),
    path(mirror.PATH.lstrip("/"), mirror.mirror),
    path("accounts/login/", sign_in, name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path(f"{settings.ADMIN_PATH}/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]

if settings.DEMO:
    urlpatterns.append(path("demo/", include("notifcenter.demo_pages")))
