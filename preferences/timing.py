"""When a mail goes out: bundling windows and quiet hours, as pure functions over plain values.

Local times are those of a clock on the user's wall. One that a change of the clocks leaves out counts as the moment of
the change; of one that comes twice the first counts.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAILY_MINUTES = 24 * 60
"""As a bundling window: once a day, at an hour of the user's."""

MORNING = 8
"""The hour at which "until tomorrow" ends."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one local time to another; it may pass midnight. Two equal times are no quiet hours."""

    start: time
    end: time

    @classmethod
    def between(cls, start: time | None, end: time | None) -> QuietHours | None:
        return cls(start, end) if start is not None and end is not None else None


@dataclass(frozen=True, slots=True)
class Timing:
    """`bundling_minutes`: 0 for a mail each, DAILY_MINUTES for one a day at `daily_hour`."""

    zone: tzinfo = UTC
    bundling_minutes: int = 1
    daily_hour: int = MORNING
    quiet: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """What follows a mail waits until `until`. `filled`: something is waiting, or was until then."""

    until: datetime
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """When the first of several mails that come up at once goes out (`at`), and the `rest`.

    None for "now, by itself"; what has a time waits for it together. `window` is what holds afterwards, unless
    only the first has come up; None when these mails have nothing to do with a window.
    """

    at: datetime | None
    rest: datetime | None
    window: Window | None = None


def plan(now: datetime, *, timing: Timing, window: Window | None, passes_quiet: bool) -> Plan:
    """When mails that come up now go out, given the user's present window."""
    quiet = None if passes_quiet else timing.quiet
    if end := quiet_until(now, quiet, timing.zone):
        return Plan(end, end)
    if timing.bundling_minutes == DAILY_MINUTES:
        due = _after_quiet(next_hour(now, timing.daily_hour, timing.zone), quiet, timing.zone)
        return Plan(due, due)
    if not timing.bundling_minutes:
        return Plan(None, None)
    length = timedelta(minutes=timing.bundling_minutes)
    running = _running(now, window, length)
    if running is None:
        until = now + length
        return Plan(None, _after_quiet(until, quiet, timing.zone), Window(until))
    due = _after_quiet(running, quiet, timing.zone)
    return Plan(due, due, Window(running, filled=True))


@dataclass(frozen=True, slots=True)
class Hour:
    """Of a ceiling: how many have gone out since `began`; it says nothing any more when an hour is over."""

    began: datetime
    count: int

    @property
    def end(self) -> datetime:
        return self.began + timedelta(hours=1)


def admit(now: datetime, *, ceiling: int, hour: Hour | None) -> Hour | None:
    """The hour with one more in it, a new one if the last is over; None when it is full, until `hour.end`."""
    if hour is None or now >= hour.end:
        return Hour(now, 1)
    return Hour(hour.began, hour.count + 1) if hour.count < ceiling else None


def quiet_until(now: datetime, quiet: QuietHours | None, zone: tzinfo) -> datetime | None:
    """When the quiet hours end that hold now; None when none do."""
    if quiet is None or quiet.start == quiet.end:
        return None
    today = now.astimezone(zone).date()
    for day in (today - _DAY, today):
        last = day if quiet.start < quiet.end else day + _DAY
        start, end = _instant(day, quiet.start, zone), _instant(last, quiet.end, zone)
        if start <= now < end:
            return end
    return None


def next_hour(now: datetime, hour: int, zone: tzinfo) -> datetime:
    """The next time, after now, that it is this hour sharp there."""
    today = now.astimezone(zone).date()
    moments = (_instant(today + days * _DAY, time(hour), zone) for days in range(3))
    return next(moment for moment in moments if moment > now)


def tomorrow(now: datetime, zone: tzinfo) -> datetime:
    """The next day's morning, also when it is still night."""
    return _instant(now.astimezone(zone).date() + _DAY, time(MORNING), zone)


def zone_named(name: str, otherwise: str) -> tzinfo:
    """The zone of that name; the other for '', and for one that this machine does not know; else UTC."""
    for candidate in (name, otherwise):
        try:
            return zoneinfo.ZoneInfo(candidate)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return UTC


def _running(now: datetime, window: Window | None, length: timedelta) -> datetime | None:
    """The end of the window that runs now. After one that was filled the next begins at once, so that a storm
    gives one mail a window. A window that is longer than the user now wants is cut."""
    if window is None:
        return None
    until = window.until
    if until <= now and window.filled:
        until += length
    return min(until, now + length) if until > now else None


def _after_quiet(due: datetime, quiet: QuietHours | None, zone: tzinfo) -> datetime:
    return quiet_until(due, quiet, zone) or due


def _instant(day: date, at: time, zone: tzinfo) -> datetime:
    local = datetime.combine(day, at, zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    early, late = local.replace(fold=1).astimezone(UTC), moment
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)
