"""A user's targets: reads and writes. Who may be reached, and whether an address is any good, is decided above."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext

from preferences import encryption
from preferences.kinds import Channel
from preferences.models import Target
from preferences.services import hold_users

logger = logging.getLogger(__name__)

MAX_TARGETS = 10
TEST_PAUSE_SECONDS = 10
SHORTEST_REST_SECONDS, LONGEST_REST_SECONDS = 30.0, 30 * 60.0
GIVE_UP_AFTER = timedelta(hours=24)
GIVEN_UP = "Nothing has arrived for a day."
OK_NOTED_EVERY = timedelta(minutes=1)


class TargetRefused(ValueError):  # noqa: N818 - said to the user, as ValidationError is
    """The target cannot be added; the text says what to do."""


@transaction.atomic
def add(*, user: User, channel: Channel, name: str, service: str, hint: str, secret: str) -> Target:
    hold_users([user.username])
    if typed_in(user).count() >= MAX_TARGETS:
        raise TargetRefused(
            gettext("You have %(most)d targets already; remove one first.") % {"most": MAX_TARGETS}
        )
    try:
        with transaction.atomic():
            target = Target.objects.create(
                user=user,
                channel=channel,
                name=name,
                service=service,
                hint=hint,
                secret=encryption.encrypt(secret),
            )
    except IntegrityError:
        raise TargetRefused(
            gettext("You have a target of the name %(name)s already.") % {"name": repr(name)}
        ) from None
    logger.info("target added target=%d user=%d channel=%s", target.pk, user.pk, channel)
    return target


def remove(target: Target) -> None:
    """What was to be sent to it is dropped."""
    key = target.pk
    target.delete()
    logger.info("target removed target=%d user=%d", key, target.user_id)


def own(user: User) -> QuerySet[Target]:
    """All of them, browsers too."""
    return Target.objects.filter(user=user).order_by("id")


def typed_in(user: User) -> QuerySet[Target]:
    return own(user).filter(digest="")


def secret_of(target: Target) -> str:
    """Raises encryption.UnreadableError."""
    return encryption.decrypt(target.secret)


def start_test(target: Target) -> bool:
    """Whether a test may be sent now; False when the last one was just a moment ago."""
    before = timezone.now() - timedelta(seconds=TEST_PAUSE_SECONDS)
    waited = Q(tested_at=None) | Q(tested_at__lt=before)
    return Target.objects.filter(waited, pk=target.pk).update(tested_at=Now()) == 1


def arrived(target_id: int) -> None:
    """Something was sent. Written down now and then only, or when it is news; it lifts every rest."""
    news = (
        Q(last_ok_at=None)
        | Q(last_ok_at__lt=Now() - OK_NOTED_EVERY)
        | ~Q(last_error="")
        | Q(disabled_at__isnull=False)
    )
    Target.objects.filter(news, pk=target_id).update(
        last_ok_at=Now(), last_error="", failing_since=None, resting_until=None, disabled_at=None
    )


def refused(target_id: int, error: str) -> None:
    """Something was refused for good, which says nothing about what comes next."""
    Target.objects.filter(pk=target_id).update(last_error=error)


def failing(target_id: int, error: str, *, pause_seconds: float = 0) -> None:
    """It could not be reached: it is left alone for a while, longer each time, and switched off after a day."""
    target = Target.objects.filter(pk=target_id).first()
    if target is None:
        return
    now = timezone.now()
    since = target.failing_since or now
    rest = min(max((now - since).total_seconds() / 2, SHORTEST_REST_SECONDS), LONGEST_REST_SECONDS)
    Target.objects.filter(pk=target_id).update(
        last_error=error,
        failing_since=Coalesce(F("failing_since"), now),
        resting_until=now + timedelta(seconds=max(rest, pause_seconds)),
    )
    if now - since > GIVE_UP_AFTER:
        disable(target_id, f"{GIVEN_UP} {error}")


def disable(target_id: int, reason: str) -> None:
    """Until a test arrives there."""
    Target.objects.filter(pk=target_id, disabled_at=None).update(disabled_at=Now(), last_error=reason)
    logger.info("target disabled target=%d", target_id)


def encrypt_all_anew() -> tuple[int, int]:
    """Every secret under the present first key; returns how many were, and how many could not be read."""
    done = unreadable = 0
    for target in Target.objects.order_by("id").iterator(chunk_size=100):
        try:
            secret = encryption.encrypt_anew(target.secret)
        except encryption.UnreadableError:
            unreadable += 1
            continue
        done += Target.objects.filter(pk=target.pk, secret=target.secret).update(secret=secret)
    return done, unreadable
