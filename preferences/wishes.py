"""All that `rules` needs for many jobs at once, in one round trip to the database."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection

from preferences.kinds import ALL_EVENTS, PERSONAL_CHANNELS, TARGET_CHANNELS, Channel, Event
from preferences.models import initial_default_events
from preferences.prepared import Prepared
from preferences.rules import NEVER_SEEN, JobOverride, OwnerWishes, SiteWishes, channels_on, open_channels

JobKey = tuple[str, datetime]


def wishes_statement(name: str, more: str = "NULL") -> Prepared:
    """`more`: SQL of what else is wanted of the user `u`, whose preferences are `p`: it comes as `Owner.more`."""
    return Prepared(
        name,
        ["text[]", "text[]"],
        f"""
SELECT
  (SELECT jsonb_build_object('events', default_events, 'minutes', waiting_minutes)
     FROM preferences_sitesettings WHERE id = 1),
  (SELECT jsonb_object_agg(channel, enabled) FROM preferences_channelpolicy),
  (SELECT jsonb_agg(jsonb_build_array(u.username, u.id, {more}, u.email <> '', p.default_events, p.waiting_minutes,
       (SELECT jsonb_object_agg(c.channel, CASE WHEN c.enabled THEN c.events ELSE '{{}}' END)
          FROM preferences_channelpreference c WHERE c.user_id = u.id),
       (SELECT jsonb_agg(jsonb_build_array(t.channel, t.id) ORDER BY t.id)
          FROM preferences_target t WHERE t.user_id = u.id AND t.disabled_at IS NULL)))
     FROM auth_user u LEFT JOIN preferences_userpreference p ON p.user_id = u.id
    WHERE u.username = ANY(%s)),
  (SELECT jsonb_agg(jsonb_build_array(framework_name, submission_time, events, waiting_minutes,
       muted AND COALESCE(muted_until > statement_timestamp(), true),
       CASE WHEN muted AND muted_until > statement_timestamp() THEN muted_until END))
     FROM preferences_jobconfig WHERE framework_name = ANY(%s))
""",  # noqa: S608 - constants only
    )


_WISHES = wishes_statement("notifcenter_wishes")

_NEW_USER = """
INSERT INTO auth_user (username, password, email, first_name, last_name,
                       is_active, is_staff, is_superuser, date_joined)
SELECT name, %s, '', '', '', true, false, false, now() FROM unnest(%s::text[]) AS name
ON CONFLICT (username) DO NOTHING RETURNING username, id
"""


@dataclass(frozen=True, slots=True)
class Owner:
    """`more`: what the statement asked for beside the wishes; None for a new user."""

    user_id: int
    wishes: OwnerWishes
    more: Any = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """`overrides` holds only the jobs that have one."""

    site: SiteWishes
    owners: Mapping[str, Owner]
    overrides: Mapping[JobKey, JobOverride]
    _channels: dict[tuple[str, Event], frozenset[Channel]] = field(default_factory=dict)

    def of_owner(self, username: str) -> OwnerWishes:
        """The defaults for a user without a record."""
        return self.owners[username].wishes if username in self.owners else NEVER_SEEN

    def channels(self, username: str, event: Event) -> frozenset[Channel]:
        """`rules.open_channels`, remembered: many events of a batch are of the same few users."""
        key = username, event
        if key not in self._channels:
            self._channels[key] = open_channels(event, owner=self.owners[username].wishes, site=self.site)
        return self._channels[key]


def load_wishes(
    *,
    usernames: Collection[str],
    frameworks: Collection[str],
    statement: Prepared = _WISHES,
    after: str = "",
) -> Wishes:
    """The wishes of these users and jobs; a user without a record is not among the owners.

    `statement`: of `wishes_statement`. `after`: what goes to the server first, in the same message (a lock).
    """
    with connection.cursor() as cursor:
        statement.execute(cursor, [list(usernames), list(frameworks)], after=after)
        site, policies, users, configs = (json.loads(v) if v else None for v in cursor.fetchone())
    return Wishes(
        _site_wishes(site, policies or {}),
        {row[0]: Owner(row[1], _owner_wishes(*row[3:]), row[2]) for row in users or ()},
        {(row[0], datetime.fromisoformat(row[1])): _override(*row[2:]) for row in configs or ()},
    )


def with_records(wishes: Wishes, usernames: Collection[str]) -> Wishes:
    """The same with all of these users among the owners: one never seen before gets a record that cannot log in."""
    missing = [name for name in usernames if name not in wishes.owners]
    if not missing:
        return wishes
    with connection.cursor() as cursor:
        cursor.execute(_NEW_USER, [make_password(None), missing])
        new = {name: Owner(key, NEVER_SEEN) for name, key in cursor}
    if met := [name for name in missing if name not in new]:  # somebody else has just made them
        new.update(load_wishes(usernames=met, frameworks=()).owners)
    return replace(wishes, owners={**wishes.owners, **new})


def site_wishes() -> SiteWishes:
    return load_wishes(usernames=(), frameworks=()).site


def _site_wishes(row: dict[str, Any] | None, policies: Mapping[str, bool]) -> SiteWishes:
    return SiteWishes(
        default_events=_events(row["events"] if row else initial_default_events()),
        waiting_minutes=row["minutes"] if row else 60,
        channels_on=channels_on(policies),
        mail_configured=settings.EMAIL_CONFIGURED,
        alertmanager_configured=bool(settings.ALERTMANAGER_URL),
        push_configured=bool(settings.VAPID_PRIVATE_KEY),
    )


def _owner_wishes(
    has_address: bool,
    default_events: list[str] | None,
    waiting_minutes: int | None,
    channels: dict[str, list[str]] | None,
    targets: list[tuple[str, int]] | None,
) -> OwnerWishes:
    chosen = channels or {}
    return OwnerWishes(
        channels={c: _events(chosen[c]) if c in chosen else ALL_EVENTS for c in PERSONAL_CHANNELS},
        default_events=None if default_events is None else _events(default_events),
        waiting_minutes=waiting_minutes,
        has_address=has_address,
        targets=_targets(targets) if targets else {},
    )


def _targets(rows: list[tuple[str, int]]) -> dict[Channel, tuple[int, ...]]:
    return {c: tuple(key for channel, key in rows if channel == c) for c in TARGET_CHANNELS}


def _override(
    events: dict[str, bool], waiting_minutes: int | None, muted: bool, muted_until: str | None
) -> JobOverride:
    known = {Event(name): on for name, on in events.items() if name in _EVENT_NAMES}
    until = datetime.fromisoformat(muted_until) if muted_until else None
    return JobOverride(known, waiting_minutes, muted, until)


_EVENT_NAMES = frozenset(Event.values)


def _events(names: Collection[str]) -> frozenset[Event]:
    return frozenset(Event(name) for name in names if name in _EVENT_NAMES)
