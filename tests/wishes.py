"""Who wants to be told what, and what was mailed."""

from __future__ import annotations

from django.contrib.auth.models import User

from notifications.models import Delivery
from preferences.kinds import Event
from preferences.models import SiteSettings
from preferences.rules import NO_FILE, JobFile
from preferences.selectors import Job
from preferences.wishes import load_wishes, with_records
from tests.cluster import columns

FILE = "extras:\n  jobStatusChangeNotification:\n"


def job(name: str, file: JobFile = NO_FILE) -> Job:
    (submitted,) = columns(name, "submissionTime")
    return Job(framework_name=name, submission_time=submitted, owner="alice", file=file)


def site(*events: str, minutes: int = 60) -> None:
    SiteSettings.objects.update_or_create(
        id=1, defaults={"default_events": events, "waiting_minutes": minutes}
    )


def met_by_a_job(username: str) -> User:
    """As the poller makes a user whose job it meets first."""
    owners = with_records(load_wishes(usernames=[username], frameworks=[]), [username]).owners
    return User.objects.get(pk=owners[username].user_id)


def everybody_wants_everything() -> None:
    """So that silence is not for want of a wish."""
    SiteSettings.objects.create(default_events=list(Event.values))


def mails() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("notification__event", flat=True))
