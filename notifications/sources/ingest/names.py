"""How what came in over HTTP is named beside the frameworks of the cluster. No framework's name has a colon."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

ALERT_PREFIX = "alert:"
JOB_PREFIX = "job:"

NO_SUBMISSION_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Of jobs that other schedulers tell us of: nobody says when they were submitted."""


def framework_of(job: str) -> str:
    """The name under which a job of another scheduler is kept: short, and fit for an address."""
    return JOB_PREFIX + hashlib.sha256(job.encode()).hexdigest()[:40]


def is_reported(framework_name: str) -> bool:
    """Whether it is a job of another scheduler."""
    return framework_name.startswith(JOB_PREFIX)


def is_alert(framework_name: str) -> bool:
    return framework_name.startswith(ALERT_PREFIX)
