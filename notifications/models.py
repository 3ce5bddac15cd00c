"""What was told (Notification), how it reaches people (Delivery), and the poller's own state.

The rows of the sources are in their own `models.py`, imported below for Django.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from notifications.groups.models import GroupJob, JobGroup
from notifications.sources.frameworks.models import (
    CapturedChange,
    FailedChange,
    Framework,
    PendingMark,
    WaitingJob,
    WishMirror,
)
from notifications.sources.ingest.models import Received
from preferences.kinds import Channel, Event
from preferences.models import Target

__all__ = [  # Django finds the models of an app here
    "CapturedChange",
    "Delivery",
    "FailedChange",
    "Framework",
    "GroupJob",
    "JobGroup",
    "MailWindow",
    "MetricValue",
    "Notification",
    "PendingMark",
    "PollerState",
    "PushWindow",
    "Received",
    "SentHour",
    "WaitingJob",
    "WishMirror",
]

IN_INBOX = Q(in_inbox=True)
OPEN = IN_INBOX & Q(archived_at=None, snoozed_until=None)
UNREAD = OPEN & Q(read_at=None)
RETURNED = UNREAD & Q(returned_at__isnull=False)
ARCHIVED = IN_INBOX & Q(archived_at__isnull=False)
SNOOZED = IN_INBOX & Q(snoozed_until__isnull=False)
SAVED = IN_INBOX & Q(saved=True)

_FOLDERS = {
    "folder_open": OPEN,
    "folder_unread": UNREAD,
    "folder_archived": ARCHIVED,
    "folder_snoozed": SNOOZED,
    "folder_saved": SAVED,
}
_FILTERED = (
    "event",
    "virtual_cluster",
    "job_name",
    "framework_name",
    "created_at",
    "read_at",
    "saved",
    "group",
)


class Notification(models.Model):
    """One event told to one user. The unique key is the memory of what was already told.

    Rows are written by `recording` only, so that ids are committed in ascending order.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", db_index=False
    )
    event = models.CharField(max_length=32, choices=Event.choices)
    ordinal = models.PositiveIntegerField(default=0)
    framework_name = models.CharField(max_length=64)
    submission_time = models.DateTimeField()
    job_name = models.CharField(max_length=256)
    virtual_cluster = models.CharField(max_length=256, default="", blank=True)
    # No foreign key in the database: it would be checked for every row, and a group may be forgotten before its jobs.
    group = models.ForeignKey(
        JobGroup,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="notifications",
    )
    details = models.JSONField(default=dict, blank=True)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())
    in_inbox = models.BooleanField(default=True, help_text="Off: the web portal is off for this event.")
    read_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    saved = models.BooleanField(default=False, db_default=False, help_text="Kept by its user.")
    snoozed_until = models.DateTimeField(
        null=True, blank=True, help_text="Out of sight until then; it comes back unread."
    )
    returned_at = models.DateTimeField(null=True, blank=True, help_text="When it came back last.")

    muted: bool = False
    muted_until: datetime | None = None
    """Of its job, as `mutes.note` has found it; what is told now is told of a job that is not muted."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["framework_name", "submission_time", "event", "ordinal"], name="told_once"
            )
        ]
        indexes = [
            # One for each folder, so that a page never passes over the rows of another. With what filters ask for,
            # so that a search reads the index alone.
            *(
                models.Index(fields=["user", "id"], include=_FILTERED, name=name, condition=condition)
                for name, condition in _FOLDERS.items()
            ),
            models.Index(fields=["snoozed_until"], name="snooze_due", condition=SNOOZED),
            models.Index(fields=["user", "-returned_at"], name="returned", condition=RETURNED),
            models.Index(fields=["group", "id"], name="group_page", condition=Q(group__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.framework_name}"


class DeliveryState(models.TextChoices):
    PENDING = "pending", _("Pending")
    BUNDLED = "bundled", _("Waiting to go out with others")
    LEASED = "leased", _("Leased")
    RETRY = "retry", _("Waiting to be tried again")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    DROPPED = "dropped", _("Dropped")


TO_BUNDLE = Q(state=DeliveryState.BUNDLED, bundle=None)
OPEN_STATES = [DeliveryState.PENDING, DeliveryState.LEASED, DeliveryState.RETRY]
ENDED_UNSENT = [DeliveryState.FAILED, DeliveryState.DROPPED]


class Delivery(models.Model):
    """One notification through one channel other than the web portal. The table is the queue.

    `due_at` is when it may be taken next; for a leased row, when the lease runs out. `planned_at` is when the
    present try should have taken place: leases and outages move the one on, not the other.
    A bundled one waits without a bundle until it is due; then it gets one: the delivery whose fate it shares, and
    whose mail tells of both.
    """

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="deliveries", db_index=False)
    channel = models.CharField(max_length=32, choices=Channel.choices)
    # No foreign key in the database: a target may go away between the decision and the insert, and what was sent to
    # it stays in the log.
    target = models.ForeignKey(
        Target,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    state = models.CharField(max_length=16, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    due_at = models.DateTimeField(db_default=Now())
    planned_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="How often a worker has taken it, those included that ended while they had it."
    )
    refusals = models.PositiveSmallIntegerField(
        db_default=0, help_text="How often a temporary error has put it off. Only this uses up its chances."
    )
    last_error = models.TextField(default="", blank=True)
    bundle = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="bundled", db_index=False
    )
    bundle_size = models.PositiveIntegerField(
        default=1,
        db_default=1,
        help_text="How many went out, or are to go out, together with this one, itself included.",
    )
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            # Of all rows, because it also finds a notification's deliveries when that is removed.
            models.UniqueConstraint(
                "notification", "channel", Coalesce("target", Value(0)), name="one_delivery_per_way"
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "due_at", "id"], name="delivery_due", condition=Q(state__in=OPEN_STATES)
            ),
            models.Index(fields=["due_at", "id"], name="delivery_to_bundle", condition=TO_BUNDLE),
            models.Index(fields=["bundle"], name="delivery_bundle", condition=Q(bundle__isnull=False)),
            models.Index(fields=["state", "id"], name="delivery_unsent", condition=Q(state__in=ENDED_UNSENT)),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"


class Window(models.Model):
    """Until when what is for a user waits, so that a storm becomes one message. Written by `recording` only."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    until = models.DateTimeField()
    filled = models.BooleanField(help_text="Something waits for its end, or did.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.user_id} until {self.until}"


class MailWindow(Window):
    """Of mails."""


class PushWindow(Window):
    """Of pushes to the user's browsers."""


class SentHour(models.Model):
    """How many of a channel went out since `began`: to one user, or (user 0) in all. Only where there is a ceiling."""

    pk = models.CompositePrimaryKey("channel", "user_id")
    channel = models.CharField(max_length=32, choices=Channel.choices)
    user_id = models.IntegerField()
    began = models.DateTimeField()
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.channel} {self.user_id}"


class PollerState(models.Model):
    """One row: what the poller wants to remember across restarts, and its sign of life."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    heartbeat_at = models.DateTimeField(null=True)
    leader = models.CharField(max_length=255, default="")
    installed_at = models.DateTimeField(null=True, help_text="First install of the capture.")
    capture_seen_at = models.DateTimeField(
        null=True, help_text="When the capture was last known to be in place; null: never yet."
    )
    reconcile_from = models.DateTimeField(
        null=True, help_text="The capture was away since then; the next scan starts there."
    )

    told_from = models.DateTimeField(
        null=True,
        help_text="What happened before is not told any more: it may have been, and be removed since.",
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_row_of_poller_state")]

    def __str__(self) -> str:
        return "Poller state"


class MetricValue(models.Model):
    """One counted figure, or a part of one: its value is the sum over the shards. Written by `counting` only."""

    pk = models.CompositePrimaryKey("name", "labels", "shard")
    name = models.CharField(max_length=64)
    labels = ArrayField(models.TextField())
    shard = models.PositiveSmallIntegerField(default=0)
    value = models.FloatField()

    def __str__(self) -> str:
        return f"{self.name} {self.labels}"
