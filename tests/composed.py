"""A mail of one delivery, as a mail program reads it."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from django.contrib.auth.models import User

from notifications.delivery.mail import compose
from notifications.models import Delivery, Notification
from preferences.models import UserPreference

OOM = {
    "exit_code": 226,
    "phrase": "CUDAOutOfMemory",
    "why": "out of GPU memory",
    "reason": "The job asked for more GPU memory than there was.",
    "causer": "user",
    "solutions": ["Use a smaller batch size."],
    "task": "worker[3]",
    "diagnostics": "Traceback:\n\tRuntimeError: CUDA out of memory",
    "retries": 2,
    "max_retries": 3,
    "attempt": 3,
    "max_attempts": 4,
    "waited_seconds": 300,
    "ran_seconds": 7500,
    "gpus": 8,
}


SUBMITTED = "2026-11-22T09:00:00+00:00"


def delivery(*, time_zone: str = "", language: str = "en", **values: Any) -> Delivery:
    user = User(id=1, username="alice", email="alice@example.org")
    UserPreference(user=user, time_zone=time_zone, language=language)
    notification = Notification(
        **{
            "id": 5,
            "user": user,
            "event": "failed",
            "framework_name": "0c5e",
            "submission_time": datetime.fromisoformat(SUBMITTED),
            "job_name": "resnet50-lr3",
            "virtual_cluster": "default",
            "details": OOM,
            "occurred_at": datetime(2026, 11, 22, 13, 7, tzinfo=UTC),
            **values,
        }
    )
    created = datetime(2026, 11, 22, 13, 7, 1, tzinfo=UTC)
    return Delivery(id=7, notification=notification, channel="email", created_at=created)


def mail(**values: Any) -> EmailMessage:
    """As a mail program reads it from the wire."""
    raw = compose(delivery(**values)).message().as_bytes()
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())
