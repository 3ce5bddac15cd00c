"""The language of an answer.

Pages speak the user's own language, else the browser's. REST speaks what is asked for (`Accept-Language`), else the
user's own: a page that embeds our elements knows best in which language it is. Both then speak the site's.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from preferences.languages import accepted
from preferences.selectors import chosen_languages

REST = "/api/"
ENGLISH_ONLY = (f"/{settings.ADMIN_PATH}/", "/healthz", "/metrics")
"""What is for administrators and programs."""


def language_for(request: HttpRequest, user: AbstractBaseUser | AnonymousUser) -> str:
    asked = accepted(request.headers.get("Accept-Language", ""))
    if not user.is_authenticated or (asked and request.path_info.startswith(REST)):
        return asked or settings.LANGUAGE_CODE
    own, site = chosen_languages(user_id=user.pk)
    return own or asked or site


class LanguageMiddleware:
    """After the middleware that knows the user. A bearer token is understood later, and calls `language_for` again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        fixed = request.path_info.startswith(ENGLISH_ONLY)
        with translation.override(settings.LANGUAGE_CODE if fixed else language_for(request, request.user)):
            response = self._get_response(request)
            if not fixed:
                response.headers.setdefault("Content-Language", translation.get_language())
                patch_vary_headers(response, ("Accept-Language",))
        return response
