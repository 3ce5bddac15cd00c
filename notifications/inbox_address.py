"""The address of the inbox page: what it shows, so that it can be shared and survives a reload.

`?tab=`, `?event=` (repeated), `?period=` or `?from=&to=` (days), `?vc=`, `?job=`, `?q=`, `?group=job`. The custom
element reads and writes the same in `inbox-address.js`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from notifications.finding import Filters
from notifications.serializers import FindSerializer, filters_of

TABS = {
    "unread": _("Unread"),
    "all": _("All"),
    "saved": _("Saved"),
    "snoozed": _("Snoozed"),
    "archived": _("Archived"),
}
PERIODS = {"today": (_("Today"), 1), "7d": (_("Last 7 days"), 7), "30d": (_("Last 30 days"), 30)}
"""Title, and how many days, today included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What cannot be read is as if it were not there. Days are those of the current time zone."""

    tab: str
    events: tuple[str, ...]
    period: str
    first_day: date | None
    last_day: date | None
    virtual_cluster: str
    job: str
    text: str
    by_job: bool
    filters: Filters

    @property
    def is_filtered(self) -> bool:
        narrow = (self.events, self.period, self.first_day, self.last_day)
        return any(narrow) or bool(self.virtual_cluster or self.job or self.text)


def view_of(query: QueryDict) -> View:
    tab = query.get("tab", "")
    tab = tab if tab in TABS else "all"
    first, last = _day(query.get("from")), _day(query.get("to"))
    period = "" if first or last else query.get("period", "")
    period = period if period in PERIODS else ""
    since = _midnight(first)
    if period:
        since = _midnight(timezone.localdate() - timedelta(days=PERIODS[period][1] - 1))
    wanted = _readable(
        {
            "event": list(dict.fromkeys(query.getlist("event"))),
            "virtual_cluster": query.get("vc", ""),
            "job": query.get("job", ""),
            "q": query.get("q", ""),
        }
    )
    wanted |= {tab: True} if tab != "all" else {}
    wanted |= {"since": since, "until": _midnight(last and last + timedelta(days=1))}
    return View(
        tab=tab,
        events=tuple(wanted["event"]),
        period=period,
        first_day=first,
        last_day=last,
        virtual_cluster=wanted["virtual_cluster"],
        job=wanted["job"],
        text=wanted["q"],
        by_job=query.get("group") == "job",
        filters=filters_of(wanted),
    )


def _readable(given: dict[str, Any]) -> dict[str, Any]:
    find = FindSerializer(data=given)
    if not find.is_valid():
        find = FindSerializer(data={name: value for name, value in given.items() if name not in find.errors})
        find.is_valid(raise_exception=True)
    return dict(find.validated_data)


def _day(text: str | None) -> date | None:
    """A day far enough from the ends of the calendar to have a midnight in every time zone."""
    try:
        day = parse_date(text or "")
    except ValueError:
        return None
    return day if day and 1900 <= day.year <= 9000 else None


def _midnight(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None
