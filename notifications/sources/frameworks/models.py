"""The cluster's table (unmanaged; of its columns only the ten are written) and our tables beside it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


def plain_job_name(job_name: str | None, username: str | None, framework_name: str) -> str:
    """The name as its owner knows it: the cluster may put `user~` before it."""
    return (job_name or "").removeprefix(f"{username}~") or framework_name


class Framework(models.Model):
    """A job as OpenPAI keeps it. The columns with secrets are left out on purpose."""

    name = models.CharField(max_length=64, primary_key=True)
    namespace = models.CharField(max_length=64, null=True)
    job_name = models.CharField(max_length=256, null=True, db_column="jobName")
    user_name = models.CharField(max_length=256, null=True, db_column="userName")
    job_config = models.TextField(null=True, db_column="jobConfig")
    execution_type = models.CharField(max_length=32, null=True, db_column="executionType")
    creation_time = models.DateTimeField(null=True, db_column="creationTime")
    virtual_cluster = models.CharField(max_length=256, null=True, db_column="virtualCluster")
    job_priority = models.CharField(max_length=256, null=True, db_column="jobPriority")
    total_gpu_number = models.IntegerField(null=True, db_column="totalGpuNumber")
    total_task_number = models.IntegerField(null=True, db_column="totalTaskNumber")
    submission_time = models.DateTimeField(db_column="submissionTime")
    retries = models.IntegerField(null=True)
    app_exit_code = models.IntegerField(null=True, db_column="appExitCode")
    sub_state = models.CharField(max_length=32, null=True, db_column="subState")
    state = models.CharField(max_length=32, null=True)
    launch_time = models.DateTimeField(null=True, db_column="launchTime")
    completion_time = models.DateTimeField(null=True, db_column="completionTime")
    updated_at = models.DateTimeField(db_column="updatedAt")
    snapshot = models.TextField(null=True)
    notification_at_running = models.BooleanField(null=True, db_column="notificationAtRunning")
    notified_at_running = models.BooleanField(null=True, db_column="notifiedAtRunning")
    notification_at_succeeded = models.BooleanField(null=True, db_column="notificationAtSucceeded")
    notified_at_succeeded = models.BooleanField(null=True, db_column="notifiedAtSucceeded")
    notification_at_failed = models.BooleanField(null=True, db_column="notificationAtFailed")
    notified_at_failed = models.BooleanField(null=True, db_column="notifiedAtFailed")
    notification_at_stopped = models.BooleanField(null=True, db_column="notificationAtStopped")
    notified_at_stopped = models.BooleanField(null=True, db_column="notifiedAtStopped")
    notification_at_retried = models.BooleanField(null=True, db_column="notificationAtRetried")
    notified_at_retried = models.IntegerField(null=True, db_column="notifiedAtRetried")

    class Meta:
        app_label = "notifications"
        managed = False
        db_table = "frameworks"

    def __str__(self) -> str:
        return self.name

    @property
    def plain_name(self) -> str:
        return plain_job_name(self.job_name, self.user_name, self.name)


class Change(models.Model):
    """What the trigger writes down of one change: narrow, so that the cluster's write stays cheap."""

    framework_name = models.CharField(max_length=64)
    submission_time = models.DateTimeField()
    user_name = models.CharField(max_length=256, null=True)
    old_state = models.CharField(max_length=32, null=True, help_text="Null: the row is new.")
    new_state = models.CharField(max_length=32, null=True)
    old_retries = models.IntegerField(null=True)
    new_retries = models.IntegerField(null=True)
    changed_at = models.DateTimeField(db_default=Now())
    only_events = ArrayField(
        models.CharField(max_length=32), null=True, help_text="Null: all events; else only these may be told."
    )
    ended_attempt = models.TextField(
        null=True, help_text="Of a retry: attemptStatus (JSON) of the attempt that it ended, as far as known."
    )
    counted = models.BooleanField(
        db_default=False,
        help_text="The metrics have it, or it is no change but what a look at the table found.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.framework_name}: {self.old_state} → {self.new_state}"


class CapturedChange(Change):
    """The queue between the cluster's writes and the poller. Rows leave it in the poller's transaction."""

    class Meta:
        app_label = "notifications"


class FailedChange(Change):
    """A change that could not be digested, put aside with its error. Trying again puts it back in line."""

    error = models.TextField()
    failed_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "notifications"
        verbose_name = "change put aside"
        verbose_name_plural = "changes put aside"


class WaitingJob(models.Model):
    """A job that waits now. `due_at` is when its limit has to be looked at again; null: nobody asked."""

    framework_name = models.CharField(max_length=64, primary_key=True)
    submission_time = models.DateTimeField()
    user_name = models.CharField(max_length=256)
    ordinal = models.IntegerField(help_text="How often the job had been retried when this wait began.")
    since = models.DateTimeField()
    due_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "notifications"
        indexes = [
            models.Index(fields=["due_at"], name="waiting_due", condition=models.Q(due_at__isnull=False)),
            models.Index(fields=["user_name"], name="waiting_owner"),
        ]

    def __str__(self) -> str:
        return self.framework_name


class WishMirror(models.Model):
    """A job whose notificationAt* columns show what was set for it here. `before` is what the cluster had in them.

    The poller writes them, as it does with the marks: nobody who changes a wish waits for the cluster's row.
    """

    framework_name = models.CharField(max_length=64, primary_key=True)
    submission_time = models.DateTimeField()
    before = models.JSONField(
        default=dict, help_text='{"failed": true, "running": null, …}: those changed here.'
    )
    pending = models.BooleanField(default=True)

    class Meta:
        app_label = "notifications"
        indexes = [
            models.Index(
                fields=["framework_name"], name="wish_mirror_pending", condition=models.Q(pending=True)
            )
        ]

    def __str__(self) -> str:
        return self.framework_name


class PendingMark(models.Model):
    """A row of `frameworks` that was locked when its notifiedAt* were to be mirrored; done a little later."""

    framework_name = models.CharField(max_length=64, primary_key=True)

    class Meta:
        app_label = "notifications"

    def __str__(self) -> str:
        return self.framework_name
