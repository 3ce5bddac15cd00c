"""The page behind the links of a mail that stop mails. No sign-in: the link itself is the right to it."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import jobs, links, unsubscribe, wording
from notifications.groups.models import JobGroup
from notifications.models import Notification
from notifications.sources.ingest.names import is_reported
from notifications.unsubscribe import Subscription
from preferences.selectors import language_of, site_language
from preferences.services import Mute

A_DAY = timedelta(days=1)


@csrf_exempt  # a mail program posts without a cookie (RFC 8058); only who has the link can
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST acts; a POST with `undo` switches it on again, one with `for_a_day` mutes for so long."""
    try:
        subscription = unsubscribe.read(token)
        user = User.objects.select_related("preference").get(pk=subscription.user_id, is_active=True)
    except (unsubscribe.BrokenTokenError, User.DoesNotExist):
        with translation.override(site_language()):
            return render(request, "notifications/unsubscribe_broken.html", status=404)
    undone, for_a_day = False, "for_a_day" in request.POST
    if request.method == "POST":
        undone = "undo" in request.POST
        try:
            with jobs.reading_the_table():
                mute = Mute(timezone.now() + A_DAY) if for_a_day else unsubscribe.FOR_GOOD
                unsubscribe.switch(user=user, subscription=subscription, stop=not undone, mute=mute)
        except jobs.JobsUnavailableError as error:
            return render(request, "notifications/unavailable.html", {"problem": str(error)}, status=503)
    with translation.override(language_of(user=user)):
        context = {
            "subscription": subscription,
            "username": user.get_username(),
            "stopped": unsubscribe.is_stopped(subscription),
            "undone": undone,
            "for_a_day": for_a_day,
            "event": wording.event_word(subscription.event) if subscription.event else "",
            "job_name": _job_name(subscription),
            "job_url": _job_url(subscription),
            "group_name": _group_name(subscription),
            "group_url": links.group_page(subscription.group) if subscription.group else "",
        }
        return render(request, "notifications/unsubscribe.html", context)


def _job_name(subscription: Subscription) -> str:
    if subscription.job is None:
        return ""
    framework, submitted = subscription.job
    told = Notification.objects.filter(framework_name=framework, submission_time=submitted).first()
    return wording.name_of(told.job_name) if told else gettext("this job")


def _group_name(subscription: Subscription) -> str:
    group = JobGroup.objects.filter(pk=subscription.group).first() if subscription.group else None
    return wording.visible(group.stem) if group else gettext("this sweep")


def _job_url(subscription: Subscription) -> str:
    """Where its switches are; '' for a job that is not in the cluster's table."""
    if subscription.job is None or is_reported(subscription.job[0]):
        return ""
    return links.job_page(subscription.job[0])
