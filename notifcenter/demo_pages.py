"""The demo's mailbox: what a mail server would have got. These addresses exist in the demo only."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from notifcenter import mail_folder
from notifcenter.mail_folder import Mail
from notifications.preview_views import MAIL_POLICY

SHOWN_MAILS = 50
OPEN_LINKS_OUTSIDE = '<base target="_top">'


def _folder() -> Path:
    return Path(settings.EMAIL_FILE_PATH)


def _only_to(request: HttpRequest) -> str | None:
    """A user sees the own mails, an administrator all."""
    user = cast(User, request.user)
    return None if user.is_superuser else user.email


def _find(request: HttpRequest, file: str, number: int) -> Mail:
    mail = mail_folder.find(_folder(), file, number)
    if mail is None or _only_to(request) not in (None, mail.to):
        raise Http404("There is no such mail; the oldest ones are deleted after a while.")
    return mail


@require_safe
@login_required
def mails(request: HttpRequest) -> HttpResponse:
    newest = mail_folder.newest(_folder(), SHOWN_MAILS, to=_only_to(request))
    return render(request, "demo/mails.html", {"mails": newest})


@require_safe
@login_required
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # typed for views without arguments
def mail(request: HttpRequest, file: str, number: int) -> HttpResponse:
    return render(request, "demo/mail.html", {"mail": _find(request, file, number)})


@require_safe
@login_required
@xframe_options_sameorigin
def mail_html(request: HttpRequest, file: str, number: int) -> HttpResponse:
    """The HTML part as it was sent."""
    html = _find(request, file, number).html
    if not html:
        raise Http404
    html = html.replace("<head>", f"<head>{OPEN_LINKS_OUTSIDE}", 1)
    return HttpResponse(html, headers={"Content-Security-Policy": MAIL_POLICY})


urlpatterns = [
    path("mails/", mails, name="demo_mails"),
    path("mails/<str:file>/<int:number>/", mail, name="demo_mail"),
    path("mails/<str:file>/<int:number>/html/", mail_html, name="demo_mail_html"),
]
