"""The admin's preview of all messages, with made-up data."""

from __future__ import annotations

from csp.constants import SELF
from csp.decorators import csp_update
from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from notifications.delivery import rendering, samples
from notifications.delivery.rendering import Rendered
from preferences.selectors import site_language

MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation"
)
"""For the HTML of a mail in a frame: without scripts, without network, without our origin."""


class PreviewForm(forms.Form):
    message = forms.ChoiceField(choices=[(name, name.replace("_", " ")) for name in samples.NAMES])
    language = forms.ChoiceField(choices=settings.LANGUAGES)


@require_safe
@csp_update({"frame-src": [SELF]})
def mail_preview(request: HttpRequest) -> HttpResponse:
    form = PreviewForm({"message": samples.NAMES[0], "language": site_language(), **request.GET.dict()})
    context = {**admin.site.each_context(request), "title": "Mails", "form": form}
    if form.is_valid():
        context["rendered"] = _rendered(form)
    return render(request, "admin/mail_preview.html", context)


@require_safe
@xframe_options_sameorigin
def mail_preview_html(request: HttpRequest) -> HttpResponse:
    form = PreviewForm(request.GET)
    if not form.is_valid():
        return HttpResponseBadRequest("There is no such message, or no such language.")
    return HttpResponse(_rendered(form).html, headers={"Content-Security-Policy": MAIL_POLICY})


def _rendered(form: PreviewForm) -> Rendered:
    with translation.override(form.cleaned_data["language"]):
        return rendering.render(samples.message(form.cleaned_data["message"]))
