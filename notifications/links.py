"""Where a notification leads."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from django.conf import settings

from notifications.groups.models import PREFIX, is_group
from notifications.models import Notification
from notifications.sources.ingest.alertmanager import web_address
from notifications.sources.ingest.names import is_alert, is_reported
from preferences.kinds import Event


def framework_of(notification: Notification) -> str:
    """The job that it is about; '' for a group, and for an alert that is about none of the cluster's table."""
    if is_group(notification.framework_name):
        return ""
    if not is_alert(notification.framework_name):
        return notification.framework_name
    return _text(notification, "framework")


def job_of(notification: Notification) -> tuple[str, datetime]:
    """The submission that it is about, by which it can be muted; of an alert about no job, the alert itself."""
    framework, submitted = framework_of(notification), _text(notification, "submitted")
    if is_alert(notification.framework_name) and framework and submitted:
        return framework, datetime.fromisoformat(submitted)
    return notification.framework_name, notification.submission_time


def page_of(notification: Notification) -> str:
    """The page that a click should open: the job's at its own scheduler, ours, or the alerts in the inbox."""
    if is_reported(notification.framework_name) and (url := web_address(_text(notification, "url"))):
        return url
    if is_group(notification.framework_name):
        return group_page(int(notification.framework_name.removeprefix(PREFIX)))
    framework = framework_of(notification)
    return job_page(framework) if framework else f"{settings.BASE_URL}/?event={Event.ALERT.value}"


def job_page(framework_name: str) -> str:
    return f"{settings.BASE_URL}/jobs/{quote(framework_name, safe='')}/"


def group_page(group_id: int) -> str:
    return f"{settings.BASE_URL}/groups/{group_id}/"


def _text(notification: Notification, key: str) -> str:
    value = notification.details.get(key) if isinstance(notification.details, dict) else None
    return value if isinstance(value, str) else ""
