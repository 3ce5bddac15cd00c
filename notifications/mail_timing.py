"""When the mails and pushes of one batch go out: a read of what its users have chosen and of their present windows."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time

from django.conf import settings
from django.db import connection

from preferences.kinds import Channel
from preferences.prepared import Prepared
from preferences.timing import Plan, QuietHours, Timing, Window, plan, zone_named
from preferences.wishes import Owner, wishes_statement

CHANNELS = frozenset({Channel.EMAIL, Channel.WEBPUSH})
"""Those that wait for the end of windows and of quiet hours, and then tell of several events at once."""

PUSH_WINDOW_MINUTES = 1
"""Whatever the user has chosen for mails: a push is for now."""

_TIMES = """
(SELECT jsonb_build_array(p.time_zone, p.bundling_minutes, p.daily_hour, p.quiet_from, p.quiet_until,
        p.failures_pass_quiet, w.until, w.filled, v.until, v.filled, statement_timestamp())
   FROM (SELECT) AS one
   LEFT JOIN notifications_mailwindow w ON w.user_id = u.id
   LEFT JOIN notifications_pushwindow v ON v.user_id = u.id)
"""

WISHES_AND_TIMES = wishes_statement("notifcenter_wishes_and_times", _TIMES)
"""What `plans_for` needs comes with the wishes, as `Owner.more`."""

_TIMES_OF_NEW = Prepared(
    "notifcenter_times_of_new",
    ["int[]"],
    f"""
SELECT u.id, {_TIMES} FROM auth_user u LEFT JOIN preferences_userpreference p ON p.user_id = u.id
WHERE u.id = ANY(%s)
""",  # noqa: S608 - constants only
)


@dataclass(frozen=True, slots=True)
class Plans:
    """For what one user gets of a batch through one channel. `failures` differs in quiet hours only."""

    failures: Plan
    others: Plan

    def of(self, is_failure: bool) -> Plan:
        return self.failures if is_failure else self.others


def plans_for(owners: Collection[Owner]) -> Mapping[tuple[int, Channel], Plans]:
    """Must run in the poller's transaction, which then stores the windows: there is no other writer."""
    times = {owner.user_id: owner.more for owner in owners}
    if missing := [user_id for user_id, known in times.items() if known is None]:
        with connection.cursor() as cursor:
            _TIMES_OF_NEW.execute(cursor, [missing])
            times.update((user_id, json.loads(row)) for user_id, row in cursor.fetchall())
    return {
        (user_id, channel): plans
        for user_id, row in times.items()
        for channel, plans in _plans_of_user(*row).items()
    }


def _plans_of_user(
    time_zone: str | None,
    bundling_minutes: int | None,
    daily_hour: int,
    quiet_from: str | None,
    quiet_until: str | None,
    failures_pass: bool | None,
    mails_until: str | None,
    mails_filled: bool,
    pushes_until: str | None,
    pushes_filled: bool,
    at: str,
) -> dict[Channel, Plans]:
    zone, now = zone_named(time_zone or "", settings.TIME_ZONE), datetime.fromisoformat(at)
    if bundling_minutes is None:  # no row: the defaults
        timing = Timing(zone)
    else:
        quiet = QuietHours.between(_time(quiet_from), _time(quiet_until))
        timing = Timing(zone, bundling_minutes, daily_hour, quiet)
    pushes = replace(timing, bundling_minutes=PUSH_WINDOW_MINUTES)
    passes = bool(failures_pass)
    return {
        Channel.EMAIL: _plans(now, timing, _window(mails_until, mails_filled), passes),
        Channel.WEBPUSH: _plans(now, pushes, _window(pushes_until, pushes_filled), passes),
    }


def _time(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


def _window(until: str | None, filled: bool) -> Window | None:
    return Window(datetime.fromisoformat(until), filled) if until else None


def _plans(now: datetime, timing: Timing, window: Window | None, failures_pass: bool) -> Plans:
    others = plan(now, timing=timing, window=window, passes_quiet=False)
    if not failures_pass or timing.quiet is None:
        return Plans(others, others)
    return Plans(plan(now, timing=timing, window=window, passes_quiet=True), others)
