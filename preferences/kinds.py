"""The vocabulary that everything else shares: which events there are, and which channels."""

from __future__ import annotations

from django.db.models import TextChoices


class Event(TextChoices):
    """What can happen to a job. The order is the order of display."""

    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"
    RETRIED = "retried", "Retried"
    WAITING_TOO_LONG = "waiting_too_long", "Waiting too long"


class Channel(TextChoices):
    """How a person can be told. `webportal` is the name that OpenPAI's users know it by."""

    WEBPORTAL = "webportal", "Web portal"
    EMAIL = "email", "E-mail"


ALL_EVENTS = frozenset(Event)

NOTIFICATION_COLUMNS = {
    Event.RUNNING: "notificationAtRunning",
    Event.SUCCEEDED: "notificationAtSucceeded",
    Event.FAILED: "notificationAtFailed",
    Event.STOPPED: "notificationAtStopped",
    Event.RETRIED: "notificationAtRetried",
}
"""The cluster's column that holds the wish of a job's file for each event (no column for the sixth)."""
