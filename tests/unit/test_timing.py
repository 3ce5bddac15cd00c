"""When a mail goes out: one line a case. Moments are local times of the zone, with `b` for the second of an hour that
comes twice."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.timing import (
    DAILY_MINUTES,
    Hour,
    Plan,
    QuietHours,
    Timing,
    Window,
    admit,
    next_hour,
    plan,
    quiet_until,
    tomorrow,
    zone_named,
)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kolkata"), UTC]
NIGHT = QuietHours(time(22), time(7))
NOON = QuietHours(time(12), time(13, 30))


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text.removesuffix("b")).replace(tzinfo=zone, fold=text.endswith("b"))


QUIET = [
    ("day", "2026-11-23 12:00", NIGHT, None),
    ("just before", "2026-11-23 21:59:59", NIGHT, None),
    ("it begins", "2026-11-23 22:00", NIGHT, "2026-11-24 07:00"),
    ("before midnight", "2026-11-23 23:59", NIGHT, "2026-11-24 07:00"),
    ("after midnight", "2026-11-24 00:01", NIGHT, "2026-11-24 07:00"),
    ("just before the end", "2026-11-24 06:59:59", NIGHT, "2026-11-24 07:00"),
    ("the end", "2026-11-24 07:00", NIGHT, None),
    ("inside one day", "2026-11-23 12:30", NOON, "2026-11-23 13:30"),
    ("inside one day, later", "2026-11-23 13:30", NOON, None),
    ("no time at all", "2026-11-23 12:00", QuietHours(time(12), time(12)), None),
    # 2026-03-29: the clock goes from 02:00 to 03:00
    ("night that is an hour short", "2026-03-28 23:00", NIGHT, "2026-03-29 07:00"),
    ("ends in the gap", "2026-03-29 01:59", QuietHours(time(1), time(2, 30)), "2026-03-29 03:00"),
    ("has ended in the gap", "2026-03-29 03:00", QuietHours(time(1), time(2, 30)), None),
    ("begins in the gap", "2026-03-29 03:00", QuietHours(time(2, 30), time(4)), "2026-03-29 04:00"),
    ("not yet begun at the gap", "2026-03-29 01:59:59", QuietHours(time(2, 30), time(4)), None),
    ("all of it in the gap", "2026-03-29 03:00", QuietHours(time(2, 10), time(2, 50)), None),
    # 2026-10-25: 02:00 to 03:00 comes twice
    ("night that is an hour long", "2026-10-24 23:00", NIGHT, "2026-10-25 07:00"),
    ("ends at the first of two", "2026-10-25 02:10", QuietHours(time(1), time(2, 30)), "2026-10-25 02:30"),
    ("has ended at the second", "2026-10-25 02:10b", QuietHours(time(1), time(2, 30)), None),
    ("begins at the first", "2026-10-25 02:45", QuietHours(time(2, 30), time(4)), "2026-10-25 04:00"),
    ("goes on in the second", "2026-10-25 02:10b", QuietHours(time(2, 30), time(4)), "2026-10-25 04:00"),
]


@pytest.mark.parametrize(("now", "quiet", "end"), [row[1:] for row in QUIET], ids=[row[0] for row in QUIET])
def test_quiet_hours(now: str, quiet: QuietHours, end: str | None) -> None:
    assert quiet_until(at(now), quiet, BERLIN) == (at(end).astimezone(UTC) if end else None)


HOURS = [
    ("later today", "2026-11-23 06:00", 8, "2026-11-23 08:00"),
    ("this very moment", "2026-11-23 08:00", 8, "2026-11-24 08:00"),
    ("in the gap", "2026-03-29 01:00", 2, "2026-03-29 03:00"),
    ("the gap is over", "2026-03-29 03:00", 2, "2026-03-30 02:00"),
    ("the first of two", "2026-10-25 01:00", 2, "2026-10-25 02:00"),
    ("not the second", "2026-10-25 02:30", 2, "2026-10-26 02:00"),
    ("midnight", "2026-11-23 23:30", 0, "2026-11-24 00:00"),
]


@pytest.mark.parametrize(("now", "hour", "due"), [row[1:] for row in HOURS], ids=[row[0] for row in HOURS])
def test_an_hour_of_the_day(now: str, hour: int, due: str) -> None:
    assert next_hour(at(now), hour, BERLIN) == at(due).astimezone(UTC)


NOW = at("2026-11-23 15:00").astimezone(UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PLANS = [
    ("the first opens a window", Timing(), None, Plan(None, NOW + MINUTE, Window(NOW + MINUTE))),
    ("its length is the user's", Timing(bundling_minutes=15), None,
     Plan(None, NOW + 15 * MINUTE, Window(NOW + 15 * MINUTE))),
    ("no bundling", Timing(bundling_minutes=0), None, Plan(None, None)),
    ("a window that runs", Timing(), Window(NOW + SECOND),
     Plan(NOW + SECOND, NOW + SECOND, Window(NOW + SECOND, filled=True))),
    ("a window that is over", Timing(), Window(NOW), Plan(None, NOW + MINUTE, Window(NOW + MINUTE))),
    ("after a filled one comes the next", Timing(), Window(NOW - SECOND, filled=True),
     Plan(NOW + 59 * SECOND, NOW + 59 * SECOND, Window(NOW + 59 * SECOND, filled=True))),
    ("a filled one that is long over", Timing(), Window(NOW - MINUTE, filled=True),
     Plan(None, NOW + MINUTE, Window(NOW + MINUTE))),
    ("an older choice was longer", Timing(), Window(NOW + 50 * MINUTE),
     Plan(NOW + MINUTE, NOW + MINUTE, Window(NOW + MINUTE, filled=True))),
    ("once a day", Timing(BERLIN, DAILY_MINUTES, 8), None,
     Plan(at("2026-11-24 08:00"), at("2026-11-24 08:00"))),
    ("once a day, in quiet hours", Timing(BERLIN, DAILY_MINUTES, 6, NIGHT), None,
     Plan(at("2026-11-24 07:00"), at("2026-11-24 07:00"))),
    ("quiet", Timing(BERLIN, 1, 8, QuietHours(time(14), time(16))), Window(NOW + SECOND),
     Plan(at("2026-11-23 16:00"), at("2026-11-23 16:00"))),
    ("quiet, no bundling", Timing(BERLIN, 0, 8, QuietHours(time(14), time(16))), None,
     Plan(at("2026-11-23 16:00"), at("2026-11-23 16:00"))),
    ("the window ends in quiet hours", Timing(BERLIN, 60, 8, QuietHours(time(15, 30), time(17))), None,
     Plan(None, at("2026-11-23 17:00"), Window(NOW + 60 * MINUTE))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("timing", "window", "expected"), [row[1:] for row in PLANS], ids=[row[0] for row in PLANS]
)
def test_plans(timing: Timing, window: Window | None, expected: Plan) -> None:
    assert plan(NOW, timing=timing, window=window, passes_quiet=False) == expected


def test_a_failure_may_pass_quiet_hours_but_not_the_window() -> None:
    timing = Timing(BERLIN, 5, 8, QuietHours(time(14), time(16)))
    end = NOW + 5 * MINUTE
    assert plan(NOW, timing=timing, window=None, passes_quiet=True) == Plan(None, end, Window(end))
    assert plan(NOW, timing=timing, window=Window(end), passes_quiet=True).at == end


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-23 15:00", "2026-11-24 08:00"),
        ("2026-11-23 00:30", "2026-11-24 08:00"),
        ("2026-03-28 12:00", "2026-03-29 08:00"),
    ],
)
def test_tomorrow_is_the_next_morning(now: str, end: str) -> None:
    assert tomorrow(at(now), BERLIN) == at(end).astimezone(UTC)


@pytest.mark.parametrize(
    ("name", "site", "zone"),
    [
        ("Asia/Tokyo", "UTC", "Asia/Tokyo"),
        ("", "Europe/Berlin", "Europe/Berlin"),
        ("Mars/Olympus", "Europe/Berlin", "Europe/Berlin"),
        ("../etc/passwd", "no/where", "UTC"),
    ],
)
def test_zones(name: str, site: str, zone: str) -> None:
    assert str(zone_named(name, site)) == zone


@given(
    seconds=st.integers(0, 366 * 24 * 3600),
    zone=st.sampled_from(ZONES),
    start=st.times(),
    end=st.times(),
)
def test_quiet_hours_end_within_a_day_and_a_bit_and_are_over_then(
    seconds: int, zone: ZoneInfo, start: time, end: time
) -> None:
    now, quiet = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds), QuietHours(start, end)
    until = quiet_until(now, quiet, zone)
    if until is not None:
        assert now < until <= now + timedelta(hours=25)
        assert quiet_until(until, quiet, zone) is None


NOON_UTC = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CEILINGS = [
    ("the first", None, 2, Hour(NOON_UTC, 1)),
    ("room for one more", Hour(NOON_UTC - MINUTE, 1), 2, Hour(NOON_UTC - MINUTE, 2)),
    ("full", Hour(NOON_UTC - MINUTE, 2), 2, None),
    ("the ceiling was lowered meanwhile", Hour(NOON_UTC - MINUTE, 5), 2, None),
    ("just before the end", Hour(NOON_UTC - 60 * MINUTE + timedelta(microseconds=1), 2), 2, None),
    ("the hour is over", Hour(NOON_UTC - 60 * MINUTE, 2), 2, Hour(NOON_UTC, 1)),
]


@pytest.mark.parametrize(("case", "hour", "ceiling", "after"), CEILINGS)
def test_a_ceiling(case: str, hour: Hour | None, ceiling: int, after: Hour | None) -> None:
    assert admit(NOON_UTC, ceiling=ceiling, hour=hour) == after
