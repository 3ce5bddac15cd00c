"""The vocabulary that everything else shares: which events there are, and which channels."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Event(TextChoices):
    """What people can be told. The order is the order of display."""

    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    STOPPED = "stopped", _("Stopped")
    RETRIED = "retried", _("Retried")
    WAITING_TOO_LONG = "waiting_too_long", _("Waiting too long")
    ALERT = "alert", _("Alert")


class Channel(TextChoices):
    """How it is told. `webportal` is the name that OpenPAI's users know it by."""

    WEBPORTAL = "webportal", _("Web portal")
    EMAIL = "email", _("E-mail")
    ALERTMANAGER = "alertmanager", _("Alertmanager")
    APPRISE = "apprise", _("Chat")
    WEBHOOK = "webhook", _("Webhook")
    WEBPUSH = "webpush", _("Push")


ALL_EVENTS = frozenset(Event)

JOB_EVENTS = tuple(event for event in Event if event is not Event.ALERT)
"""What a job's file, its switches and the defaults speak of. An alert comes from the monitoring; its owner decides
about channels only."""

PERSONAL_CHANNELS = tuple(channel for channel in Channel if channel is not Channel.ALERTMANAGER)
"""What a user chooses among; the other is for the whole cluster, and the administrator's choice."""

ADDRESS_CHANNELS = (Channel.APPRISE, Channel.WEBHOOK)
"""What goes to addresses that users type in."""

TARGET_CHANNELS = (*ADDRESS_CHANNELS, Channel.WEBPUSH)
"""What goes to places that users have added, any number of them. Off until the administrator allows it."""

NOTIFICATION_COLUMNS = {
    Event.RUNNING: "notificationAtRunning",
    Event.SUCCEEDED: "notificationAtSucceeded",
    Event.FAILED: "notificationAtFailed",
    Event.STOPPED: "notificationAtStopped",
    Event.RETRIED: "notificationAtRetried",
}
"""The cluster's column that holds the wish of a job's file for each event (no column for the sixth)."""
