"""What happens here when somebody changes a wish."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.dispatch import receiver

from notifications.listening import LIVE_CHANNEL
from notifications.sources.frameworks import changes, names, waiting, wish_columns
from preferences.kinds import Event
from preferences.signals import wishes_changed


@receiver(wishes_changed)
def follow_wishes(
    *, user_ids: list[int] | None, job: tuple[str, datetime] | None, switched_on: list[str], **_: Any
) -> None:
    """Running waits get their new limit; an event just switched on is told if it is the job's present state; the
    cluster's row is to show what was set for its job; open pages show what is muted.

    A batch of the poller that has read the old wishes commits first, and what it leaves is seen here; a later one
    waits, and reads the new ones.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [names.LOCK_SPACE, names.WISHES_LOCK])
    if user_ids is None:
        waiting.look_again()
    elif user_ids:
        owners = get_user_model().objects.filter(pk__in=user_ids).values_list("username", flat=True)
        waiting.look_again(user_names=list(owners))
    if job is not None:
        framework_name, submission_time = job
        _tell_pages(framework_name)
        waiting.look_again(framework_name=framework_name)
        wish_columns.request(framework_name, submission_time)
        changes.queue_present_state(
            framework_name=framework_name,
            submission_time=submission_time,
            events=[Event(event) for event in switched_on],
        )


def _tell_pages(framework_name: str) -> None:
    """Have open pages that show something of this job look again: it may be muted now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, user_id::text) FROM notifications_notification WHERE framework_name = %s"
            " GROUP BY user_id",
            [LIVE_CHANNEL, framework_name],
        )
