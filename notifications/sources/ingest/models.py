"""What others have told us over HTTP."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Kind(models.TextChoices):
    JOB_EVENT = "job_event", "Job event"
    ALERT = "alert", "Alert"
    RESOLVED = "resolved", "Resolved alert"


class Received(models.Model):
    """The line between HTTP and the poller, and the memory of what has come in: a key comes in once.

    With an `error` it was put aside; trying again puts it back in line.
    """

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    user_name = models.CharField(max_length=256, blank=True, help_text="Empty: for the administrators.")
    payload = models.JSONField()
    received_at = models.DateTimeField(db_default=Now())
    waiting = models.BooleanField(db_default=True)
    error = models.TextField(db_default="")

    class Meta:
        app_label = "notifications"
        verbose_name = "received event"
        indexes = [models.Index(fields=["id"], name="received_waiting", condition=models.Q(waiting=True))]

    def __str__(self) -> str:
        return self.key
