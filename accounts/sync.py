"""Brings the cluster's users here: fetch, decide, write. May run as often as wanted, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import is_password_usable, make_password
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import ClusterAccount
from accounts.people import CHANNELS, Person, read_people
from accounts.planning import Account, Change, Record, Switch, changes_for, leaves_too_many
from accounts.rest_server import fetch_users
from notifications.sources.frameworks.names import LOCK_SPACE
from preferences import services
from preferences.kinds import Channel

logger = logging.getLogger(__name__)

SYNC_LOCK = 20
"""Second key of the advisory lock of the one sync at work."""

CHUNK = 500
"""Users written in one transaction, during which their own changes wait."""

MAX_LOGGED_PROBLEMS = 20


class SyncRefusedError(Exception):
    """Nothing was written; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`problems`: what of the cluster's answer could not be used."""

    changes: Sequence[Change]
    problems: Sequence[str]
    people: int


def sync_users(*, dry_run: bool = False, deactivate_many: bool = False) -> Outcome:
    """Raises SyncRefusedError, and RestServerError when the cluster cannot be asked."""
    with _alone():
        rows = fetch_users(settings.PAI_REST_SERVER_URL, settings.PAI_REST_SERVER_TOKEN)
        people, problems = read_people(rows)
        accounts = _accounts(Q(cluster_account__isnull=False) | Q(username__in=people))
        changes = changes_for(people, accounts)
        if not deactivate_many:
            _check(people, changes, accounts)
        if not dry_run:
            for start in range(0, len(changes), CHUNK):
                _write(people, [change.username for change in changes[start : start + CHUNK]])
            for problem in problems[:MAX_LOGGED_PROBLEMS]:
                logger.warning("user of the cluster not understood problem=%r", problem)
            logger.info(
                "users synced people=%s changed=%s problems=%s", len(people), len(changes), len(problems)
            )
        return Outcome(changes, problems, len(people))


def _check(people: Collection[str], changes: Sequence[Change], accounts: Sequence[Account]) -> None:
    hint = "Nothing was changed. If that is right, run: notifcenter sync_users --deactivate-many"
    if not people:
        raise SyncRefusedError(f"The cluster names no users. {hint}")
    if leaves_too_many(changes, accounts):
        gone = sum(1 for change in changes if change.record.is_gone)
        raise SyncRefusedError(f"More than half of the cluster's users would be deactivated ({gone}). {hint}")


@contextmanager
def _alone() -> Iterator[None]:
    keys = [LOCK_SPACE, SYNC_LOCK]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", keys)
        if not cursor.fetchone()[0]:
            raise SyncRefusedError("Another sync of the users is at work; nothing was done.")
    try:
        yield
    finally:
        with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", keys)


def _accounts(which: Q) -> list[Account]:
    users = (
        User.objects.filter(which)
        .select_related("preference", "cluster_account")
        .prefetch_related("channel_preferences")
    )
    return [_account(user) for user in users]


def _account(user: User) -> Account:
    own = getattr(user, "preference", None)
    known = getattr(user, "cluster_account", None)
    return Account(
        username=user.username,
        address=user.email,
        address_is_own=bool(own and own.address_is_own),
        is_active=user.is_active,
        is_staff=user.is_staff,
        is_superuser=user.is_superuser,
        has_password=is_password_usable(user.password) and bool(user.password),
        switches={
            Channel(row.channel): Switch(row.enabled, row.is_own)
            for row in user.channel_preferences.all()
            if row.channel in CHANNELS
        },
        record=Record(known.is_local, known.is_admin, known.gone_at is not None) if known else None,
    )


@transaction.atomic
def _write(people: dict[str, Person], usernames: Sequence[str]) -> None:
    """Decides anew under the users' locks: they may have chosen something since the first look."""
    services.hold_users(usernames)
    changes = changes_for(
        {name: people[name] for name in usernames if name in people}, _accounts(Q(username__in=usernames))
    )
    User.objects.bulk_create(
        [User(username=one.username, password=make_password(None)) for one in changes if one.is_new],
        ignore_conflicts=True,  # the poller has just met one of their jobs
    )
    users = {
        user.username: user for user in User.objects.filter(username__in=[one.username for one in changes])
    }
    for change in changes:
        user = users[change.username]
        if change.address is not None:
            user.email = change.address
        if change.is_active is not None:
            user.is_active = change.is_active
        if change.is_admin is not None:
            user.is_staff = user.is_superuser = change.is_admin
    User.objects.bulk_update(users.values(), ["email", "is_active", "is_staff", "is_superuser"])
    now = timezone.now()
    ClusterAccount.objects.bulk_create(
        [
            ClusterAccount(
                user=users[one.username],
                is_local=one.record.is_local,
                is_admin=one.record.is_admin,
                gone_at=now if one.record.is_gone else None,
            )
            for one in changes
        ],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["is_local", "is_admin", "gone_at"],
    )
    services.keep_addresses([users[one.username] for one in changes if one.keeps_address])
    services.follow_switches({users[one.username]: one.switches for one in changes if one.switches})
