"""Which jobs are muted, for those who show them; what is told is decided elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from notifications import links
from notifications.models import Notification
from preferences.models import MUTED_NOW, JobConfig
from preferences.wishes import JobKey


def note(notifications: Iterable[Notification]) -> None:
    """Set `muted` and `muted_until` of each, in one query for all."""
    jobs = {one.pk: links.job_of(one) for one in notifications}
    muted = of_jobs(jobs.values())
    for one in notifications:
        key = jobs[one.pk]
        one.muted, one.muted_until = key in muted, muted.get(key)


def of_jobs(jobs: Collection[JobKey]) -> Mapping[JobKey, datetime | None]:
    """Those of these that are muted, and until when; None: for good."""
    rows = JobConfig.objects.filter(MUTED_NOW, framework_name__in={name for name, _ in jobs})
    return {
        (name, submitted): until
        for name, submitted, until in rows.values_list("framework_name", "submission_time", "muted_until")
    }
