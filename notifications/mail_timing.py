"""When the mails and pushes of one batch go out: a read of what its users have chosen and of their present windows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time

from django.conf import settings
from django.db import connection

from preferences.kinds import Channel
from preferences.prepared import Prepared
from preferences.timing import Plan, QuietHours, Timing, Window, plan, zone_named

CHANNELS = frozenset({Channel.EMAIL, Channel.WEBPUSH})
"""Those that wait for the end of windows and of quiet hours, and then tell of several events at once."""

PUSH_WINDOW_MINUTES = 1
"""Whatever the user has chosen for mails: a push is for now."""

_SELECT = Prepared(
    "notifcenter_mail_timing",
    ["int[]"],
    """
SELECT u.id, p.time_zone, p.bundling_minutes, p.daily_hour, p.quiet_from, p.quiet_until, p.failures_pass_quiet,
       w.until, w.filled, v.until, v.filled, statement_timestamp()
  FROM unnest(%s) AS u(id)
  LEFT JOIN preferences_userpreference p ON p.user_id = u.id
  LEFT JOIN notifications_mailwindow w ON w.user_id = u.id
  LEFT JOIN notifications_pushwindow v ON v.user_id = u.id
""",
)


@dataclass(frozen=True, slots=True)
class Plans:
    """For what one user gets of a batch through one channel. `failures` differs in quiet hours only."""

    failures: Plan
    others: Plan

    def of(self, is_failure: bool) -> Plan:
        return self.failures if is_failure else self.others


def plans_for(user_ids: Collection[int]) -> Mapping[tuple[int, Channel], Plans]:
    """Must run in the poller's transaction, which then stores the windows: there is no other writer."""
    if not user_ids:
        return {}
    with connection.cursor() as cursor:
        _SELECT.execute(cursor, [list(user_ids)])
        return {
            (row[0], channel): plans
            for row in cursor.fetchall()
            for channel, plans in _plans_of_user(*row[1:]).items()
        }


def _plans_of_user(
    time_zone: str | None,
    bundling_minutes: int | None,
    daily_hour: int,
    quiet_from: time | None,
    quiet_until: time | None,
    failures_pass: bool | None,
    mails_until: datetime | None,
    mails_filled: bool,
    pushes_until: datetime | None,
    pushes_filled: bool,
    now: datetime,
) -> dict[Channel, Plans]:
    zone = zone_named(time_zone or "", settings.TIME_ZONE)
    if bundling_minutes is None:  # no row: the defaults
        timing = Timing(zone)
    else:
        quiet = QuietHours.between(quiet_from, quiet_until)
        timing = Timing(zone, bundling_minutes, daily_hour, quiet)
    pushes = replace(timing, bundling_minutes=PUSH_WINDOW_MINUTES)
    passes = bool(failures_pass)
    return {
        Channel.EMAIL: _plans(now, timing, _window(mails_until, mails_filled), passes),
        Channel.WEBPUSH: _plans(now, pushes, _window(pushes_until, pushes_filled), passes),
    }


def _window(until: datetime | None, filled: bool) -> Window | None:
    return Window(until, filled) if until else None


def _plans(now: datetime, timing: Timing, window: Window | None, failures_pass: bool) -> Plans:
    others = plan(now, timing=timing, window=window, passes_quiet=False)
    if not failures_pass or timing.quiet is None:
        return Plans(others, others)
    return Plans(plan(now, timing=timing, window=window, passes_quiet=True), others)
