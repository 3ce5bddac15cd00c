"""What people want of a group: which ones are theirs, silence, and a word when the last job has ended."""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F, QuerySet

from notifications.groups.models import LEAST_JOBS, GroupJob, JobGroup
from notifications.listening import LIVE_CHANNEL
from preferences.services import UNSET, Mute, Unset

logger = logging.getLogger(__name__)


class AllEndedError(Exception):
    """All known jobs have ended, so that there is nothing to wait for."""


def own(user: User) -> QuerySet[JobGroup]:
    return JobGroup.objects.filter(user_name=user.username, jobs__gte=LEAST_JOBS)


def visible_to(viewer: User) -> QuerySet[JobGroup]:
    """One's own; a superuser's: everybody's."""
    return JobGroup.objects.filter(jobs__gte=LEAST_JOBS) if viewer.is_superuser else own(viewer)


def group_of_job(framework_name: str, submission_time: datetime) -> JobGroup | None:
    """For callers who have checked who may see the job."""
    member = GroupJob.objects.filter(framework_name=framework_name, submission_time=submission_time).first()
    return JobGroup.objects.filter(pk=member.group_id, jobs__gte=LEAST_JOBS).first() if member else None


def mute_of(group: JobGroup) -> Mute | None:
    """The mute that holds now; one that has run out is none."""
    return Mute(group.muted_until) if group.is_muted else None


def change(
    *, group: JobGroup, mute: Mute | Unset | None = UNSET, tell_when_ended: bool | Unset = UNSET
) -> JobGroup:
    """What is left out stays as it is. Returns the group as it is then. Raises AllEndedError."""
    rows = JobGroup.objects.filter(pk=group.pk)
    if tell_when_ended is True:
        # Of two at once, the poller that notes the last end and this one, the second sees what the first has done.
        still_open = rows.annotate(unended=F("waiting") + F("running")).filter(unended__gt=0)
        if not still_open.update(tell_when_ended=True):
            raise AllEndedError
    elif tell_when_ended is False:
        rows.update(tell_when_ended=False)
    if mute is not UNSET:
        rows.update(muted=mute is not None, muted_until=mute.until if mute else None)
    logger.info("group changed group=%d", group.pk)
    announce(group.user_name)
    return rows.get()


def announce(username: str) -> None:
    """Have the open pages of the owner look again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, id::text) FROM auth_user WHERE username = %s", [LIVE_CHANNEL, username]
        )
