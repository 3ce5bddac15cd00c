"""Groups: the jobs of one sweep, known by owner, virtual cluster and the stem of their names."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class JobState(models.IntegerChoices):
    """Where a job of a group stands. STOPPING counts as running; UNKNOWN changes nothing."""

    WAITING = 1, "waiting"
    RUNNING = 2, "running"
    SUCCEEDED = 3, "succeeded"
    FAILED = 4, "failed"
    STOPPED = 5, "stopped"


OPEN_STATES = (JobState.WAITING, JobState.RUNNING)
MUTED_NOW = models.Q(muted=True) & (models.Q(muted_until=None) | models.Q(muted_until__gt=Now()))
LEAST_JOBS = 2
"""Fewer jobs are no group yet: its row only waits for the next one."""

PREFIX = "group:"
"""With its id, what stands in the place of a framework's name where a group itself is told of."""


def name_of_group(group_id: int) -> str:
    return f"{PREFIX}{group_id}"


def is_group(framework_name: str) -> bool:
    return framework_name.startswith(PREFIX)


class JobGroup(models.Model):
    """One sweep. The counts and times are written by `following` only, in the poller's transaction.

    `key` is the digest of owner, virtual cluster and stem; `number` tells the sweeps of one key apart. `started_at` is
    when the first of its jobs was submitted, `changed_at` when one of them changed last, by the cluster's clock.
    """

    key = models.UUIDField(editable=False)
    number = models.PositiveIntegerField(editable=False)
    user_name = models.CharField(max_length=256)
    virtual_cluster = models.CharField(max_length=256, blank=True)
    stem = models.CharField(max_length=512)
    started_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    jobs = models.IntegerField(default=0)
    waiting = models.IntegerField(default=0)
    running = models.IntegerField(default=0)
    succeeded = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    stopped = models.IntegerField(default=0)
    muted = models.BooleanField(default=False)
    muted_until = models.DateTimeField(null=True, blank=True, help_text="Empty: for good, if it is muted.")
    tell_when_ended = models.BooleanField(default=False, help_text="Until it has been told.")
    times_told = models.PositiveIntegerField(default=0, help_text="How often its end has been told.")

    class Meta:
        app_label = "notifications"
        constraints = [models.UniqueConstraint(fields=["key", "number"], name="one_group_per_number")]
        indexes = [models.Index(fields=["user_name", "id"], name="groups_of_owner")]

    def __str__(self) -> str:
        return f"{self.stem} of {self.user_name}"

    @property
    def has_ended(self) -> bool:
        return not self.waiting and not self.running

    @property
    def is_muted(self) -> bool:
        """A mute that has run out is none."""
        return self.muted and (self.muted_until is None or self.muted_until > timezone.now())

    @property
    def counts(self) -> dict[str, int]:
        """{"waiting", "running", "succeeded", "failed", "stopped"}: jobs by state."""
        return {state.label: getattr(self, state.label) for state in JobState}


class GroupJob(models.Model):
    """One submission of a job, in its group. Its row in the cluster's table may be gone."""

    pk = models.CompositePrimaryKey("framework_name", "submission_time")
    framework_name = models.CharField(max_length=64)
    submission_time = models.DateTimeField()
    group = models.ForeignKey(JobGroup, models.CASCADE, related_name="members", db_constraint=False)
    job_name = models.CharField(max_length=256)
    state = models.PositiveSmallIntegerField(choices=JobState.choices)

    class Meta:
        app_label = "notifications"

    def __str__(self) -> str:
        return self.job_name
