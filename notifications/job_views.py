"""The pages of jobs. They work without script."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from notifications import job_list, jobs, wording
from notifications.groups.wishes import group_of_job
from notifications.jobs_api import JobListQuery
from notifications.sources.ingest.names import is_alert, is_reported
from preferences import services
from preferences.job_forms import JobConfigForm
from preferences.selectors import job_wishes, time_zone_of
from preferences.services import Mute

DAYS_CHOICES = (7, 30, 90, 365)


@login_required
@require_safe
def job_list_page(request: HttpRequest) -> HttpResponse:
    """`?days=`, `?cursor=`; what cannot be read is as if it were not there."""
    assert isinstance(request.user, User)
    query = JobListQuery(data={name: request.GET[name] for name in ("days", "cursor") if name in request.GET})
    if not query.is_valid():
        return redirect("jobs")
    try:
        page = job_list.list_jobs(viewer=request.user, **query.validated_data)
    except jobs.JobsUnavailableError as error:
        return _unavailable(request, error)
    context = {
        "page": page,
        "days": query.validated_data["days"],
        "days_choices": DAYS_CHOICES,
        "everybody": request.user.is_superuser,
    }
    with timezone.override(time_zone_of(user=request.user)):
        return render(request, "notifications/jobs.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def job_page(request: HttpRequest, framework: str) -> HttpResponse:
    """A job's facts, what was told about it, and its own switches (POST; with `drop`: forget them)."""
    assert isinstance(request.user, User)
    if is_reported(framework) or is_alert(framework):
        return _told_page(request, request.user, framework)
    try:
        job = jobs.find_job(viewer=request.user, framework_name=framework)
    except jobs.JobsUnavailableError as error:
        return _unavailable(request, error)
    except jobs.NoSuchJobError:
        return _told_page(request, request.user, framework)
    wishes = job_wishes(job=job.config)
    submission_time = job.config.submission_time
    form = JobConfigForm(
        request.POST if request.method == "POST" else None,
        wishes=wishes,
        submission_time=submission_time.isoformat(),
        zone=time_zone_of(user=request.user),
    )
    if request.method == "POST" and form.is_valid():
        if "drop" in request.POST:
            services.drop_job_override(job=job.config)
            messages.success(request, gettext("This job has no switches of its own any more."))
        else:
            services.set_job_override(job=job.config, **form.changes())
            messages.success(request, gettext("The switches of this job are saved."))
        return redirect(request.path)
    told = jobs.timeline(framework_name=framework, submission_time=submission_time)
    life = jobs.life(job, told, now=timezone.now())
    context = {
        "name": job.row.plain_name,
        "job": job,
        "form": form,
        "timeline": told,
        "life": life,
        "muted": Mute(wishes.override.muted_until) if wishes.override.muted else None,
        "retried": any(span.attempt > 1 for span in life),
    }
    return _render_job(request, request.user, framework, submission_time, context)


def _told_page(request: HttpRequest, viewer: User, framework: str) -> HttpResponse:
    """What the viewer was told about a job that the cluster's table does not have (any more)."""
    last = jobs.last_told(viewer=viewer, framework_name=framework)
    if last is None or request.method == "POST":
        raise Http404("There is no such job.")
    told = jobs.timeline(framework_name=framework, submission_time=last.submission_time, told_to=viewer)
    context = {
        "name": wording.name_of(last.job_name),
        "reported": is_reported(framework),
        "timeline": told,
    }
    return _render_job(request, viewer, framework, last.submission_time, context)


def _render_job(
    request: HttpRequest, viewer: User, framework: str, submission_time: datetime, more: dict[str, Any]
) -> HttpResponse:
    group = group_of_job(framework, submission_time)
    context = {
        "framework": framework,
        "submission_time": submission_time,
        "group": group,
        "group_line": wording.counts_line(group.counts) if group else "",
        **more,
    }
    with timezone.override(time_zone_of(user=viewer)):
        return render(request, "notifications/job.html", context)


def _unavailable(request: HttpRequest, error: jobs.JobsUnavailableError) -> HttpResponse:
    return render(request, "notifications/unavailable.html", {"problem": str(error)}, status=503)
