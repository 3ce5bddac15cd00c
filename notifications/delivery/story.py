"""What a message about one notification says, as plain values for the templates; no text is escaped yet.

All of it is in the language that is active.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.utils import dateformat
from django.utils.translation import gettext, pgettext

from notifications import links, wording
from notifications.explanation import explain, last_lines
from notifications.groups.models import is_group
from notifications.inbox import group_payload
from notifications.models import Notification
from notifications.sources.ingest.alertmanager import web_address
from notifications.sources.ingest.names import is_reported
from notifications.unsubscribe import Scope, Subscription
from preferences.kinds import Event

MAX_NAME_CHARACTERS = 100
MAX_LINES = 20
MAX_CHARACTERS = 2000
"""Of what a task said last, or of what the cluster recorded."""
ENDINGS = (Event.SUCCEEDED, Event.FAILED, Event.STOPPED, Event.RETRIED)


def tell(notification: Notification) -> dict[str, Any]:
    """The templates' context. The notification's user and the user's preference must be loaded."""
    details = notification.details if isinstance(notification.details, dict) else {}
    event, zone = notification.event, zone_of(notification)
    name = wording.name_of(notification.job_name)
    title = wording.title(event, notification.job_name, notification.ordinal, details)
    subject = title if event == Event.ALERT else wording.shorten(name, MAX_NAME_CHARACTERS)
    cluster = wording.visible(settings.CLUSTER_NAME)
    about_job = bool(links.framework_of(notification))
    time, after = moment(notification.occurred_at, zone), _after(event, details)
    sweep_ended = is_group(notification.framework_name)
    why = explain(event, details)
    return {
        "event": event,
        "word": pgettext("of a sweep", "Ended") if sweep_ended else wording.event_word(event),
        "title": title,
        "summary": wording.summary(event, details),
        "subject": subject,
        "stem": f"[{cluster}] {subject}",
        "note": note(event, notification.ordinal, details),
        "headline": _headline(event, title, time, after),
        "moment": gettext("%(moment)s, %(after)s") % {"moment": time, "after": after} if after else time,
        "facts": [*why.facts, *_facts(notification, details, zone)],
        "reason": why.reason,
        "solutions": why.solutions,
        "output": last_lines(why.output, most=MAX_LINES, characters=MAX_CHARACTERS),
        "diagnostics": last_lines(why.diagnostics, most=MAX_LINES, characters=MAX_CHARACTERS),
        "cluster": cluster,
        "job_url": job_url(notification),
        "runbook_url": web_address(wording.text(details, "runbook_url")) if event == Event.ALERT else "",
        "about_job": about_job,
        "mute_url": Subscription.of(notification, Scope.JOB).url if about_job else "",
        "sweep_ended": sweep_ended,
        "mute_sweep_url": _mute_sweep_url(notification),
        "stop_event_url": Subscription.of(notification, Scope.EVENT).url,
        "stop_all_url": Subscription.of(notification, Scope.ALL).url,
        "preferences_url": f"{settings.BASE_URL}/profile/",
    }


def _mute_sweep_url(notification: Notification) -> str:
    """'' for a job that is not one of a sweep."""
    return Subscription.of(notification, Scope.GROUP).url if group_payload(notification) else ""


def zone_of(notification: Notification) -> tzinfo:
    """The user's time zone; UTC for none, and for one that this machine does not know."""
    try:
        return zoneinfo.ZoneInfo(notification.user.preference.time_zone or "UTC")
    except (ObjectDoesNotExist, zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def moment(time: datetime, zone: tzinfo) -> str:
    """ "Sun 22 Nov 2026, 14:07 CET"; "UTC+03" where a zone has no abbreviation."""
    local = time.astimezone(zone)
    return f"{_date_and_time(local)} {_zone_name(local)}"


def span(first: datetime, last: datetime, zone: tzinfo) -> str:
    """ "Sun 22 Nov 2026, 14:07 to 14:09 CET"; one moment if both are written alike; both in full if the day differs,
    or what the zone is called."""
    begin, end = moment(first, zone), moment(last, zone)
    if begin == end:
        return begin
    here, there = first.astimezone(zone), last.astimezone(zone)
    if here.date() == there.date() and _zone_name(here) == _zone_name(there):
        begin, end = _date_and_time(here), f"{dateformat.format(there, 'H:i')} {_zone_name(there)}"
    return gettext("%(first)s to %(last)s") % {"first": begin, "last": end}


def _date_and_time(local: datetime) -> str:
    # Translators: letters as in https://docs.djangoproject.com/en/stable/ref/templates/builtins/#date
    return dateformat.format(local, pgettext("a date with its time", "D j M Y, H:i"))


def _zone_name(local: datetime) -> str:
    name = local.strftime("%Z")
    return name if name[:1].isalpha() else f"UTC{name}"


def job_url(notification: Notification) -> str:
    """The job's page in OpenPAI's web portal, or what the notification leads to where there is no such page."""
    is_in_portal = links.framework_of(notification) and not is_reported(notification.framework_name)
    if not settings.PAI_WEBPORTAL_URL or not is_in_portal:
        return links.page_of(notification)
    query = urlencode({"username": notification.user.get_username(), "jobName": notification.job_name})
    return f"{settings.PAI_WEBPORTAL_URL}/job-detail.html?{query}"


def _headline(event: str, title: str, time: str, after: str) -> str:
    """The first line of the text: what happened to which job, when, after how long."""
    match event:
        case Event.RUNNING | Event.ALERT:
            when = gettext("since %(moment)s")
        case Event.WAITING_TOO_LONG:
            when = gettext("as of %(moment)s")
        case _:
            when = gettext("on %(moment)s")
    parts = {"title": title, "when": when % {"moment": time}, "after": after}
    return (gettext("%(title)s, %(when)s, %(after)s.") if after else gettext("%(title)s, %(when)s.")) % parts


def note(event: str, ordinal: int, details: Mapping[str, Any]) -> str:
    """What the subject adds to the event and the job's name."""
    if sweep := wording.sweep_of(details):
        return wording.counts_line(sweep, always=())
    match event:
        case Event.FAILED:
            return wording.why(details)
        case Event.RETRIED:
            why = "" if details.get("skipped") else wording.why(details)
            note = gettext("retry %(number)d, %(why)s") if why else gettext("retry %(number)d")
            return note % {"number": ordinal, "why": why}
        case Event.WAITING_TOO_LONG:
            return _duration(details, "waited_seconds")
        case _:
            return ""


def _after(event: str, details: Mapping[str, Any]) -> str:
    ran, waited = _duration(details, "ran_seconds"), _duration(details, "waited_seconds")
    if event in ENDINGS and ran:
        return gettext("after running for %(duration)s") % {"duration": ran}
    if event in ENDINGS and details.get("never_ran") is True:
        if not waited:
            return gettext("without having run")
        return gettext("without having run, after waiting for %(duration)s") % {"duration": waited}
    if event in (*ENDINGS, Event.RUNNING) and waited:
        return gettext("after waiting for %(duration)s") % {"duration": waited}
    return ""


def _facts(notification: Notification, details: Mapping[str, Any], zone: tzinfo) -> Iterator[tuple[str, str]]:
    is_alert = notification.event == Event.ALERT
    if is_group(notification.framework_name):
        yield gettext("Sweep"), wording.name_of(notification.job_name)
    elif notification.job_name or not is_alert:
        yield gettext("Job"), wording.name_of(notification.job_name)
        if group := group_payload(notification):
            yield gettext("Sweep"), wording.visible(group["name"])
    if notification.virtual_cluster:
        yield gettext("Virtual cluster"), wording.visible(notification.virtual_cluster)
    if not is_alert and not is_reported(notification.framework_name):
        yield gettext("Submitted"), moment(notification.submission_time, zone)
    if is_alert and wording.text(details, "runbook_url"):
        yield gettext("Runbook"), wording.visible(wording.text(details, "runbook_url"))


def _duration(details: Mapping[str, Any], key: str) -> str:
    seconds = wording.number(details, key)
    return wording.duration(seconds) if seconds is not None and seconds >= 0 else ""
