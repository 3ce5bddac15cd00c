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
from notifications.models import Notification
from notifications.sources.ingest.names import is_reported
from preferences.kinds import Event

MAX_NAME_CHARACTERS = 100
MAX_WHY_CHARACTERS = 60
MAX_REASON_CHARACTERS = 600
MAX_DIAGNOSTICS_LINES = 15
MAX_DIAGNOSTICS_CHARACTERS = 1500
MAX_SOLUTIONS = 5
PREPOSITIONS: Mapping[str, str] = {
    Event.RUNNING: "since",
    Event.WAITING_TOO_LONG: "as of",
    Event.ALERT: "since",
}
ADVICE: Mapping[str, tuple[str, ...]] = {
    Event.WAITING_TOO_LONG: (
        "See whether its virtual cluster has the free resources that it asks for.",
        "A job that asks for less, or runs in another virtual cluster, may start sooner.",
    )
}
ALERT_LABELS: Mapping[str, str] = {"alertname": "Alert", "severity": "Severity"}
ENDINGS = (Event.SUCCEEDED, Event.FAILED, Event.STOPPED)


def tell(notification: Notification) -> dict[str, Any]:
    """The templates' context. The notification's user and the user's preference must be loaded."""
    details = notification.details if isinstance(notification.details, dict) else {}
    event, zone = notification.event, zone_of(notification)
    name = wording.visible(notification.job_name) or wording.UNNAMED
    title = wording.title(event, notification.job_name, notification.ordinal, details)
    return {
        "event": event,
        "word": wording.event_word(event),
        "title": title,
        "summary": wording.summary(event, details),
        "subject": title if event == Event.ALERT else wording.shorten(name, MAX_NAME_CHARACTERS),
        "note": _note(event, notification.ordinal, details),
        "moment": moment(notification.occurred_at, zone),
        "preposition": PREPOSITIONS.get(event, "on"),
        "after": _after(event, details),
        "facts": list(_facts(notification, details, zone)),
        "reason": wording.shorten(wording.visible(_text(details, "reason")), MAX_REASON_CHARACTERS),
        "solutions": _solutions(details) or ADVICE.get(event, ()),
        "diagnostics": _diagnostics(details),
        "cluster": wording.visible(settings.CLUSTER_NAME),
        "job_url": job_url(notification),
        "about_job": bool(links.framework_of(notification)),
        "switches_url": _switches_url(notification),
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


def _switches_url(notification: Notification) -> str:
    """Where the job can be muted; '' when it is not in the cluster's table."""
    framework = links.framework_of(notification)
    return links.job_page(framework) if framework and not is_reported(framework) else ""


def _note(event: str, ordinal: int, details: Mapping[str, Any]) -> str:
    """What the subject adds to the event and the job's name."""
    match event:
        case Event.FAILED:
            return wording.shorten(wording.visible(_text(details, "why")), MAX_WHY_CHARACTERS)
        case Event.RETRIED:
            return f"retry {ordinal}"
        case Event.WAITING_TOO_LONG:
            return _duration(details, "waited_seconds")
        case _:
            return ""


def _after(event: str, details: Mapping[str, Any]) -> str:
    ran, waited = _duration(details, "ran_seconds"), _duration(details, "waited_seconds")
    if event in ENDINGS and ran:
        return f"after running for {ran}"
    if event in (*ENDINGS, Event.RUNNING) and waited:
        return f"after waiting for {waited}"
    return ""


def _facts(notification: Notification, details: Mapping[str, Any], zone: tzinfo) -> Iterator[tuple[str, str]]:
    if notification.event == Event.ALERT:
        yield from _alert_facts(notification, details)
        return
    yield "Job", wording.visible(notification.job_name) or wording.UNNAMED
    if notification.virtual_cluster:
        yield "Virtual cluster", wording.visible(notification.virtual_cluster)
    if not is_reported(notification.framework_name):
        yield "Submitted", moment(notification.submission_time, zone)
    for label, key in (("Waited", "waited_seconds"), ("Ran", "ran_seconds")):
        if _duration(details, key):
            yield label, _duration(details, key)
    code, phrase = _number(details, "exit_code"), wording.visible(_text(details, "phrase"))
    if code is not None and notification.event in (Event.FAILED, Event.RETRIED):
        yield "Exit code", f"{code} ({phrase})" if phrase else str(code)
    causer = _text(details, "causer")
    if causer in wording.CAUSERS:
        cause = wording.CAUSERS[causer].removeprefix("caused by ")
        yield "Cause", cause[:1].upper() + cause[1:]
    if _text(details, "task"):
        yield "Task", wording.visible(_text(details, "task"))
    retries, most = _number(details, "retries"), _number(details, "max_retries")
    if retries:
        yield "Retries", f"{retries} of {most}" if most else str(retries)
    if _number(details, "gpus"):
        yield "GPUs", str(_number(details, "gpus"))


def _alert_facts(notification: Notification, details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if notification.job_name:
        yield "Job", wording.visible(notification.job_name)
    if notification.virtual_cluster:
        yield "Virtual cluster", wording.visible(notification.virtual_cluster)
    labels = details.get("labels")
    for name, value in (labels if isinstance(labels, dict) else {}).items():
        if name != "virtual_cluster":
            label = ALERT_LABELS.get(name) or wording.visible(name)
            yield wording.shorten(label, MAX_NAME_CHARACTERS), wording.visible(str(value))
    if _text(details, "runbook_url"):
        yield "Runbook", wording.visible(_text(details, "runbook_url"))


def _solutions(details: Mapping[str, Any]) -> list[str]:
    found = details.get("solutions")
    texts = found if isinstance(found, list) else []
    lines = [wording.visible(text) for text in texts if isinstance(text, str) and text]
    return [wording.shorten(line, MAX_REASON_CHARACTERS) for line in lines[:MAX_SOLUTIONS]]


def _diagnostics(details: Mapping[str, Any]) -> str:
    """The end of it, where programs say what went wrong."""
    text = _text(details, "diagnostics")[-MAX_DIAGNOSTICS_CHARACTERS:].replace("\t", "    ").strip("\n")
    return "\n".join(wording.visible(line.rstrip()) for line in text.splitlines()[-MAX_DIAGNOSTICS_LINES:])


def _text(details: Mapping[str, Any], key: str) -> str:
    value = details.get(key)
    return value if isinstance(value, str) else ""


def _number(details: Mapping[str, Any], key: str) -> int | None:
    value = details.get(key)
    return value if type(value) is int else None


def _duration(details: Mapping[str, Any], key: str) -> str:
    seconds = _number(details, key)
    return wording.duration(seconds) if seconds is not None and seconds >= 0 else ""
