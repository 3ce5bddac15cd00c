"""Stopping mails from a mail itself, without signing in (RFC 8058).

The link holds what it is about and whose it is, signed; it works for as long as the site keeps its SECRET_KEY, and
holding it allows no more than switching this one thing off and on again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer

from notifications import links
from notifications.groups import wishes as groups
from notifications.groups.models import MUTED_NOW as GROUP_MUTED_NOW
from notifications.groups.models import JobGroup
from notifications.models import Notification
from preferences import services
from preferences.kinds import Channel, Event
from preferences.models import MUTED_NOW, ChannelPreference, JobConfig
from preferences.rules import NO_FILE
from preferences.selectors import Job, known_events

logger = logging.getLogger(__name__)

MAX_TOKEN_CHARACTERS = 500

FOR_GOOD = services.Mute()

_SIGNER = Signer(salt="notifcenter.unsubscribe", sep=".")


class Scope(StrEnum):
    JOB = "job"
    GROUP = "group"
    EVENT = "event"
    ALL = "all"


class BrokenTokenError(Exception):
    """The token is not one of ours, or not the whole of it."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one user gets mails about. `event` goes with Scope.EVENT, `job` (as `links.job_of`) with Scope.JOB, the
    id of a `group` with Scope.GROUP.
    """

    user_id: int
    scope: Scope
    event: Event | None = None
    job: tuple[str, datetime] | None = None
    group: int | None = None

    @classmethod
    def of(cls, notification: Notification, scope: Scope) -> Subscription:
        return cls(
            notification.user_id,
            scope,
            event=Event(notification.event) if scope is Scope.EVENT else None,
            job=links.job_of(notification) if scope is Scope.JOB else None,
            group=notification.group_id if scope is Scope.GROUP else None,
        )

    @property
    def url(self) -> str:
        token = _SIGNER.sign_object([self.user_id, self.scope.value, *self._about()])
        return f"{settings.BASE_URL}/unsubscribe/{token}/"

    def _about(self) -> list[str | int]:
        match self.scope:
            case Scope.EVENT if self.event:
                return [self.event.value]
            case Scope.JOB if self.job:
                return [self.job[0], self.job[1].isoformat()]
            case Scope.GROUP if self.group:
                return [self.group]
        return []


def read(token: str) -> Subscription:
    """Raises BrokenTokenError."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise BrokenTokenError
    try:
        return _subscription(*_SIGNER.unsign_object(token))
    except (
        BadSignature,
        ValueError,
        TypeError,
    ) as error:  # the latter two: signed by another version of ours
        raise BrokenTokenError from error


def _subscription(user: Any, scope: Any, *about: Any) -> Subscription:
    user_id = int(user)
    match Scope(scope), about:
        case Scope.EVENT, (event,):
            return Subscription(user_id, Scope.EVENT, event=Event(event))
        case Scope.JOB, (framework, submitted):
            return Subscription(user_id, Scope.JOB, job=(framework, datetime.fromisoformat(submitted)))
        case Scope.GROUP, (group,):
            return Subscription(user_id, Scope.GROUP, group=int(group))
        case Scope.ALL, ():
            return Subscription(user_id, Scope.ALL)
    raise BrokenTokenError


def is_stopped(subscription: Subscription) -> bool:
    if subscription.job:
        framework, submitted = subscription.job
        muted = JobConfig.objects.filter(MUTED_NOW, framework_name=framework, submission_time=submitted)
        return muted.exists()
    if subscription.group:
        return JobGroup.objects.filter(GROUP_MUTED_NOW, pk=subscription.group).exists()
    row = ChannelPreference.objects.filter(user=subscription.user_id, channel=Channel.EMAIL).first()
    if row is None:
        return False
    return subscription.event not in known_events(row.events) if subscription.event else not row.enabled


def switch(*, user: User, subscription: Subscription, stop: bool, mute: services.Mute = FOR_GOOD) -> None:
    """Switch it off, or on again. Doing so twice is the same as once. `mute`: how long, for a job or a group."""
    if subscription.job:
        services.set_job_override(
            job=Job(*subscription.job, user.username, NO_FILE), mute=mute if stop else None
        )
    elif subscription.group:
        group = groups.own(user).filter(pk=subscription.group).first()
        if group:  # else it is forgotten, and tells nothing more
            groups.change(group=group, mute=mute if stop else None)
    else:
        change = services.ChannelChange(enabled=not stop)
        if subscription.event:
            change = services.ChannelChange(events={subscription.event: not stop})
        services.save_channel(user=user, channel=Channel.EMAIL, change=change)
    logger.info("unsubscribe user=%d scope=%s stop=%s", user.pk, subscription.scope.value, stop)
