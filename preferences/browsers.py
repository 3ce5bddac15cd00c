"""Browsers that are told by Web Push: targets that are not typed in, and that are found again by their endpoint."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from itertools import count

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from preferences import encryption
from preferences.kinds import Channel
from preferences.models import MAX_TARGET_NAME_CHARACTERS, Target
from preferences.services import hold_users
from preferences.targets import TargetRefused, own

logger = logging.getLogger(__name__)

MAX_BROWSERS = 10
_LIKE_NEW = {"last_error": "", "failing_since": None, "resting_until": None, "disabled_at": None}


def of(user: User) -> QuerySet[Target]:
    return own(user).exclude(digest="")


def digest_of(endpoint: str) -> str:
    """Endpoints are long and random, so that nobody finds one by its digest."""
    return hashlib.sha256(endpoint.encode()).hexdigest()


def add(*, user: User, name: str, service: str, hint: str, endpoint: str, secret: str) -> Target:
    """The browser of that endpoint; if somebody else has used it before, that one is told there no longer."""
    try:
        return _add(user, name, endpoint, service=service, hint=hint, secret=encryption.encrypt(secret))
    except IntegrityError:  # somebody else has added it at the same moment
        raise TargetRefused("This browser is being added already; reload the page.") from None


@transaction.atomic
def _add(user: User, name: str, endpoint: str, **values: str) -> Target:
    hold_users([user.username])
    digest = digest_of(endpoint)
    Target.objects.filter(digest=digest).exclude(user=user).delete()
    browsers = of(user)
    if known := browsers.filter(digest=digest).first():
        browsers.filter(pk=known.pk).update(**values, **_LIKE_NEW)
        return browsers.get(pk=known.pk)
    if browsers.count() >= MAX_BROWSERS:
        raise TargetRefused(f"You have {MAX_BROWSERS} browsers already; remove one first.")
    target = Target.objects.create(
        user=user, channel=Channel.WEBPUSH, name=_free_name(user, name), digest=digest, **values
    )
    logger.info("browser added target=%d user=%d", target.pk, user.pk)
    return target


@transaction.atomic
def renew(
    *, endpoint: str, is_genuine: Callable[[str], bool], new_endpoint: str, hint: str, secret: str
) -> bool:
    """The browser of `endpoint` has got another one. `is_genuine` decides by what is stored as its secret.

    False when there is no such browser, or it was another one that asked.
    """
    target = Target.objects.select_for_update().filter(digest=digest_of(endpoint)).first()
    try:
        if target is None or not is_genuine(encryption.decrypt(target.secret)):
            return False
    except encryption.UnreadableError:
        return False
    Target.objects.filter(digest=digest_of(new_endpoint)).exclude(pk=target.pk).delete()
    Target.objects.filter(pk=target.pk).update(
        digest=digest_of(new_endpoint), hint=hint, secret=encryption.encrypt(secret), **_LIKE_NEW
    )
    logger.info("browser renewed target=%d user=%d", target.pk, target.user_id)
    return True


def remove_subscription(target: Target) -> bool:
    """Remove a browser whose subscription is over; False when it is there no more, or has got another one."""
    removed, _ = Target.objects.filter(pk=target.pk, secret=target.secret).delete()
    if removed:
        logger.info("browser removed target=%d user=%d", target.pk, target.user_id)
    return bool(removed)


def _free_name(user: User, name: str) -> str:
    """The name itself, or with a number behind it."""
    taken = set(own(user).values_list("name", flat=True))
    for number in count(1):
        ending = f" {number}" if number > 1 else ""
        candidate = name[: MAX_TARGET_NAME_CHARACTERS - len(ending)] + ending
        if candidate not in taken:
            return candidate
    raise AssertionError("there is always a free number")
