"""Every message of ours with made-up data, to look at and to try templates with. Needs no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import translation

from notifications import wording
from notifications.delivery import digest, test_mail
from notifications.delivery.rendering import Message, render
from notifications.delivery.story import tell
from notifications.groups.models import name_of_group
from notifications.models import Notification
from notifications.wording import one_line
from preferences.kinds import Event
from preferences.models import UserPreference

OCCURRED = datetime(2026, 11, 22, 13, 7, tzinfo=UTC)
NOBODY = 0
"""The id of a user that does not exist, so that the links of a sample stop nobody's mails."""

_RAN = {"waited_seconds": 300, "ran_seconds": 7500, "gpus": 8, "attempt": 1, "max_attempts": 4}
_OUT_OF_MEMORY = {
    **_RAN,
    "exit_code": 226,
    "phrase": "ContainerCudaOOMKilled",
    "why": "out of GPU memory",
    "reason": "The program asked for more GPU memory than there is.",
    "causer": "user",
    "solutions": ["Use a smaller batch or a smaller model.", "Choose a GPU with more memory."],
    "task": "worker[3]",
    "output": "Epoch 3/90, step 1200\n"
    "Traceback (most recent call last):\n"
    '  File "train.py", line 214, in <module>\n'
    "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB",
}
_EVICTED = {
    **_RAN,
    "exit_code": -1000,
    "phrase": "PodEvicted",
    "why": "evicted from its node",
    "reason": "The node ran out of a resource and put the pod out.",
    "causer": "platform",
    "solutions": ["Wait: the cluster tries again by itself."],
}
_IMAGE_MISSING = {"exit_code": 254, "why": "image not found", "never_ran": True, "waited_seconds": 13}
_ALERT = {
    "alertname": "GpuIdle",
    "severity": "warn",
    "summary": "The GPUs of resnet50-lr3 have been idle for 3 hours",
    "runbook_url": "https://wiki.example.org/gpu-idle",
    "labels": {"alertname": "GpuIdle", "severity": "warn", "node": "gpu-node-17"},
}
_SWEEP = {"succeeded": 487, "failed": 13}
DETAILS: Mapping[Event, dict[str, Any]] = {
    Event.RUNNING: {"waited_seconds": 300, "gpus": 8, "attempt": 1},
    Event.SUCCEEDED: {**_RAN, "exit_code": 0},
    Event.FAILED: _OUT_OF_MEMORY,
    Event.STOPPED: {**_RAN, "exit_code": -210, "causer": "user"},
    Event.RETRIED: _EVICTED,
    Event.WAITING_TOO_LONG: {"waited_seconds": 7200, "gpus": 64},
    Event.ALERT: _ALERT,
}


def message(name: str) -> Message:
    """One of NAMES, in the language that is active."""
    return _MAKERS[name]()


def problem() -> str:
    """What keeps the first message from being rendered that cannot be, on one line; '' when all can."""
    for language, _ in settings.LANGUAGES:
        with translation.override(language):
            for name in NAMES:
                try:
                    render(message(name))
                except Exception as error:  # a template of the admin's can fail in any way
                    return f"the mail {name!r} cannot be made: {one_line(f'{type(error).__name__}: {error}')}"
    return ""


def _reader() -> User:
    user = User(id=NOBODY, username="alice")
    UserPreference(user=user)
    return user


def _notification(event: Event, name: str = "resnet50-lr3", **values: Any) -> Notification:
    return Notification(**{
        "id": NOBODY,
        "user": _reader(),
        "event": event.value,
        "ordinal": 1 if event is Event.RETRIED else 0,
        "framework_name": "alert:sample" if event is Event.ALERT else "sample",
        "submission_time": OCCURRED - timedelta(hours=4),
        "job_name": "" if event is Event.ALERT else name,
        "virtual_cluster": "default",
        "details": DETAILS[event],
        "occurred_at": OCCURRED,
        **values,
    })  # fmt: skip


def _event(event: Event) -> Message:
    return Message("job_event", tell(_notification(event)))


def _sweep_ended() -> Message:
    details = {"sweep": _SWEEP}
    ended = _notification(Event.FAILED, "sweep-*", framework_name=name_of_group(NOBODY), details=details)
    return Message("job_event", tell(ended))


def _digest() -> Message:
    failed = [
        _notification(Event.FAILED, "bert-large"),
        _notification(Event.FAILED, "vit-b16", details=_IMAGE_MISSING),
    ]
    waiting = _notification(Event.WAITING_TOO_LONG, "vit-large")
    ended = [_notification(Event.SUCCEEDED, name) for name in ("resnet50-lr3", "resnet50-warmup")]
    causes = Counter({wording.why(_OUT_OF_MEMORY): 9, wording.why(_IMAGE_MISSING): 3})
    counts = {Event.FAILED.value: sum(causes.values()) - len(failed), Event.SUCCEEDED.value: 483}
    sweep = digest.Sweep(NOBODY, "sweep-*", counts, OCCURRED, OCCURRED + timedelta(minutes=1))
    bundle = digest.Bundle(
        count=500,
        jobs=500,
        first=OCCURRED,
        last=OCCURRED + timedelta(minutes=1),
        groups=[
            digest.group(Event.FAILED, sum(causes.values()), causes),
            digest.group(Event.WAITING_TOO_LONG, 1, Counter()),
            digest.group(Event.SUCCEEDED, 500 - 1 - sum(causes.values()), Counter()),
        ],
        lines=[sweep, *failed, waiting, *ended],
    )
    return Message("digest", digest.describe(bundle, reader=failed[0]))


_MAKERS: Mapping[str, Callable[[], Message]] = {
    **{event.value: partial(_event, event) for event in Event},
    "sweep_ended": _sweep_ended,
    "digest": _digest,
    "test": lambda: test_mail.message(_reader()),
}
NAMES = tuple(_MAKERS)
