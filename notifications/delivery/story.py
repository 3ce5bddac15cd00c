"""What a message about one notification says, as plain values for the templates; no text is escaped yet."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from notifications import links, wording
from notifications.explanation import explain, last_lines
from notifications.models import Notification
from notifications.sources.ingest.names import is_reported
from notifications.unsubscribe import Scope, Subscription
from preferences.kinds import Event

MAX_NAME_CHARACTERS = 100
MAX_WHY_CHARACTERS = 60
MAX_LINES = 20
MAX_CHARACTERS = 2000
"""Of what a task said last, or of what the cluster recorded."""
PREPOSITIONS: Mapping[str, str] = {
    Event.RUNNING: "since",
    Event.WAITING_TOO_LONG: "as of",
    Event.ALERT: "since",
}
ENDINGS = (Event.SUCCEEDED, Event.FAILED, Event.STOPPED, Event.RETRIED)


def tell(notification: Notification) -> dict[str, Any]:
    """The templates' context. The notification's user and the user's preference must be loaded."""
    details = notification.details if isinstance(notification.details, dict) else {}
    event, zone = notification.event, zone_of(notification)
    name = wording.visible(notification.job_name) or wording.UNNAMED
    title = wording.title(event, notification.job_name, notification.ordinal, details)
    subject = title if event == Event.ALERT else wording.shorten(name, MAX_NAME_CHARACTERS)
    cluster = wording.visible(settings.CLUSTER_NAME)
    about_job = bool(links.framework_of(notification))
    why = explain(event, details)
    return {
        "event": event,
        "word": wording.event_word(event),
        "title": title,
        "summary": wording.summary(event, details),
        "subject": subject,
        "stem": f"[{cluster}] {subject}",
        "note": note(event, notification.ordinal, details),
        "moment": moment(notification.occurred_at, zone),
        "preposition": PREPOSITIONS.get(event, "on"),
        "after": _after(event, details),
        "facts": [*why.facts, *_facts(notification, details, zone)],
        "reason": why.reason,
        "solutions": why.solutions,
        "output": last_lines(why.output, most=MAX_LINES, characters=MAX_CHARACTERS),
        "diagnostics": last_lines(why.diagnostics, most=MAX_LINES, characters=MAX_CHARACTERS),
        "cluster": cluster,
        "job_url": job_url(notification),
        "about_job": about_job,
        "mute_url": Subscription.of(notification, Scope.JOB).url if about_job else "",
        "stop_event_url": Subscription.of(notification, Scope.EVENT).url,
        "stop_all_url": Subscription.of(notification, Scope.ALL).url,
        "preferences_url": f"{settings.BASE_URL}/profile/",
    }


def zone_of(notification: Notification) -> tzinfo:
    """The user's time zone; UTC for none, and for one that this machine does not know."""
    try:
        return zoneinfo.ZoneInfo(notification.user.preference.time_zone or "UTC")
    except (ObjectDoesNotExist, zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def moment(time: datetime, zone: tzinfo) -> str:
    """ "Sun 22 Nov 2026, 14:07 CET"; "UTC+03" where a zone has no abbreviation."""
    local = time.astimezone(zone)
    name = local.strftime("%Z")
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {name if name[:1].isalpha() else f'UTC{name}'}"


def job_url(notification: Notification) -> str:
    """The job's page in OpenPAI's web portal, or what the notification leads to where there is no such page."""
    is_in_portal = links.framework_of(notification) and not is_reported(notification.framework_name)
    if not settings.PAI_WEBPORTAL_URL or not is_in_portal:
        return links.page_of(notification)
    query = urlencode({"username": notification.user.get_username(), "jobName": notification.job_name})
    return f"{settings.PAI_WEBPORTAL_URL}/job-detail.html?{query}"


def note(event: str, ordinal: int, details: Mapping[str, Any]) -> str:
    """What the subject adds to the event and the job's name."""
    match event:
        case Event.FAILED:
            return wording.shorten(wording.visible(wording.text(details, "why")), MAX_WHY_CHARACTERS)
        case Event.RETRIED:
            why = wording.shorten(wording.visible(wording.text(details, "why")), MAX_WHY_CHARACTERS)
            return f"retry {ordinal}, {why}" if why and not details.get("skipped") else f"retry {ordinal}"
        case Event.WAITING_TOO_LONG:
            return _duration(details, "waited_seconds")
        case _:
            return ""


def _after(event: str, details: Mapping[str, Any]) -> str:
    ran, waited = _duration(details, "ran_seconds"), _duration(details, "waited_seconds")
    if event in ENDINGS and ran:
        return f"after running for {ran}"
    if event in ENDINGS and details.get("never_ran") is True:
        return f"without having run, after waiting for {waited}" if waited else "without having run"
    if event in (*ENDINGS, Event.RUNNING) and waited:
        return f"after waiting for {waited}"
    return ""


def _facts(notification: Notification, details: Mapping[str, Any], zone: tzinfo) -> Iterator[tuple[str, str]]:
    is_alert = notification.event == Event.ALERT
    if notification.job_name or not is_alert:
        yield "Job", wording.visible(notification.job_name) or wording.UNNAMED
    if notification.virtual_cluster:
        yield "Virtual cluster", wording.visible(notification.virtual_cluster)
    if not is_alert and not is_reported(notification.framework_name):
        yield "Submitted", moment(notification.submission_time, zone)
    if is_alert and wording.text(details, "runbook_url"):
        yield "Runbook", wording.visible(wording.text(details, "runbook_url"))


def _duration(details: Mapping[str, Any], key: str) -> str:
    seconds = wording.number(details, key)
    return wording.duration(seconds) if seconds is not None and seconds >= 0 else ""
