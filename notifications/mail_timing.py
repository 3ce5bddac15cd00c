"""When the mails of one batch go out: a read of what its users have chosen and of their present windows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time

from django.conf import settings
from django.db import connection

from preferences.prepared import Prepared
from preferences.timing import Plan, QuietHours, Timing, Window, plan, zone_named

_SELECT = Prepared(
    "notifcenter_mail_timing",
    ["int[]"],
    """
SELECT u.id, p.time_zone, p.bundling_minutes, p.daily_hour, p.quiet_from, p.quiet_until, p.failures_pass_quiet,
       w.until, w.filled, statement_timestamp()
  FROM unnest(%s) AS u(id)
  LEFT JOIN preferences_userpreference p ON p.user_id = u.id
  LEFT JOIN notifications_mailwindow w ON w.user_id = u.id
""",
)


@dataclass(frozen=True, slots=True)
class Plans:
    """For one user's mails of a batch. `failures` differs in quiet hours only."""

    failures: Plan
    others: Plan


def plans_for(user_ids: Collection[int]) -> Mapping[int, Plans]:
    """Must run in the poller's transaction, which then stores the windows: there is no other writer."""
    if not user_ids:
        return {}
    with connection.cursor() as cursor:
        _SELECT.execute(cursor, [list(user_ids)])
        return {row[0]: _plans(*row[1:]) for row in cursor.fetchall()}


def _plans(
    time_zone: str | None,
    bundling_minutes: int | None,
    daily_hour: int,
    quiet_from: time | None,
    quiet_until: time | None,
    failures_pass: bool | None,
    window_until: datetime | None,
    window_filled: bool,
    now: datetime,
) -> Plans:
    window = Window(window_until, window_filled) if window_until else None
    zone = zone_named(time_zone or "", settings.TIME_ZONE)
    if bundling_minutes is None:  # no row: the defaults
        timing = Timing(zone)
    else:
        quiet = QuietHours.between(quiet_from, quiet_until)
        timing = Timing(zone, bundling_minutes, daily_hour, quiet)
    others = plan(now, timing=timing, window=window, passes_quiet=False)
    if not failures_pass or timing.quiet is None:
        return Plans(others, others)
    return Plans(plan(now, timing=timing, window=window, passes_quiet=True), others)
