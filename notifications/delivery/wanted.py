"""Whether a delivery is still wanted: between the event and the mail, people change their minds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from notifications import links
from notifications.groups.models import MUTED_NOW as GROUP_MUTED_NOW
from notifications.groups.models import JobGroup, is_group
from notifications.models import Delivery
from preferences.models import MUTED_NOW, ChannelPolicy, ChannelPreference, JobConfig
from preferences.rules import channels_on

MUTED = _("The job has been muted.")
GROUP_MUTED = _("The sweep that the job is one of has been muted.")
EVENT_OFF = _("The user has switched this event off for this channel.")
EXPIRED = _("It could not be sent within 3 days.")
CANCELLED = "Cancelled by "
"""An administrator's name follows, which is for administrators."""
ABOUT_ONE = frozenset({MUTED, GROUP_MUTED, EVENT_OFF})
"""The reasons that say nothing about the user's other deliveries."""

EXPIRES_AFTER = timedelta(days=3)
"""Of no use any more: the mail server was away, or the channel paused, for so long. A bundle is one mail."""


def in_words(reason: str) -> str:
    """Why one was dropped, for its user, in the language that is active; without a full stop."""
    if reason.startswith(CANCELLED):
        reason = _("The administrator has cancelled it.")
    return gettext(reason).rstrip(".。") if reason else ""


def why_not_wanted(deliveries: Collection[Delivery]) -> Mapping[int, str]:
    """The reason by delivery id, for those that nobody wants any more. The notification must be loaded."""
    notifications = [delivery.notification for delivery in deliveries]
    on = channels_on(dict(ChannelPolicy.objects.values_list("channel", "enabled")))
    chosen = {
        (row.user_id, row.channel): row
        for row in ChannelPreference.objects.filter(
            user__in={notification.user_id for notification in notifications}
        )
    }
    muted = set(
        JobConfig.objects.filter(
            MUTED_NOW, framework_name__in={links.job_of(notification)[0] for notification in notifications}
        ).values_list("framework_name", "submission_time")
    )
    quiet = set(
        JobGroup.objects.filter(
            GROUP_MUTED_NOW, id__in={one.group_id for one in notifications if one.group_id}
        ).values_list("id", flat=True)
    )
    reasons = {}
    for delivery in deliveries:
        notification = delivery.notification
        choice = chosen.get((notification.user_id, delivery.channel))
        if delivery.bundle_size == 1 and delivery.planned_at < timezone.now() - EXPIRES_AFTER:
            reasons[delivery.id] = EXPIRED
        elif not notification.user.is_active:
            reasons[delivery.id] = _("The user has been deactivated.")
        elif delivery.channel not in on:
            reasons[delivery.id] = _("The administrator has switched this channel off.")
        elif choice and not choice.enabled:
            reasons[delivery.id] = _("The user has switched this channel off.")
        elif choice and notification.event not in choice.events:
            reasons[delivery.id] = EVENT_OFF
        elif links.job_of(notification) in muted:
            reasons[delivery.id] = MUTED
        elif notification.group_id in quiet and not is_group(notification.framework_name):
            reasons[delivery.id] = GROUP_MUTED
    return reasons
