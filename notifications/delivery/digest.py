"""What one mail about many notifications says, as plain values for the templates; no text is escaped yet.

All of it is in the language that is active. Counted by the database, whatever the number; only the notifications that
get a line of their own are loaded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, Max, Min, Q, QuerySet, Value, When
from django.db.models.fields.json import KT
from django.utils.translation import gettext, ngettext, pgettext

from notifications import links, wording
from notifications.delivery.story import MAX_NAME_CHARACTERS, moment, note, span, zone_of
from notifications.groups.models import LEAST_JOBS, PREFIX
from notifications.models import Delivery, DeliveryState, Notification
from notifications.unsubscribe import Scope, Subscription
from preferences.kinds import Event

MOST_LINES = 50
MOST_CAUSES = 5
"""Of one event; what is left is summed up."""
CAUSES_IN_HEADLINE = 3
MOST_GROUPS = 500
"""Event and cause, the largest first: what a job says of its end is a text of its own making."""

ORDER = (
    Event.FAILED,
    Event.ALERT,
    Event.WAITING_TOO_LONG,
    Event.RETRIED,
    Event.STOPPED,
    Event.SUCCEEDED,
    Event.RUNNING,
)
ENDS = (Event.FAILED, Event.STOPPED, Event.SUCCEEDED)
_RANK = Case(
    *(When(event=event, then=Value(place)) for place, event in enumerate(ORDER)), default=Value(len(ORDER))
)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What happened to the jobs of one sweep: how often, by event; the worst event first."""

    group_id: int
    name: str
    counts: Mapping[str, int]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one mail is about. `groups` as from `group`, the worst event first; `lines`: what to show, in that order."""

    count: int
    jobs: int
    first: datetime
    last: datetime
    groups: Sequence[Mapping[str, Any]]
    lines: Iterable[Notification | Sweep]


def tell_all(delivery: Delivery) -> dict[str, Any] | None:
    """The templates' context; None when nothing is left in the bundle but the delivery itself."""
    told = _bundled(delivery)
    spans = told.aggregate(count=Count("id"), first=Min("occurred_at"), last=Max("occurred_at"))
    if spans["count"] < 2:
        return None
    of_jobs = told.exclude(framework_name__startswith=PREFIX)  # the end of a sweep has a line, but is no job
    events = of_jobs.exclude(event=Event.ALERT)
    jobs = events.values("framework_name", "submission_time").distinct().count()
    groups = _groups(of_jobs) or _groups(told)
    bundle = Bundle(jobs=jobs, groups=groups, lines=_first_lines(told, events), **spans)
    return describe(bundle, reader=delivery.notification)


def describe(bundle: Bundle, *, reader: Notification) -> dict[str, Any]:
    """The templates' context. `reader` is any notification of the user who reads it."""
    zone = zone_of(reader)
    lines = [
        _sweep_line(one, zone, reader) if isinstance(one, Sweep) else _line(one, zone) for one in bundle.lines
    ]
    for line, before in zip(lines, [{}, *lines], strict=False):
        line["begins"] = line["event"] != before.get("event")
    return {
        "event": bundle.groups[0]["event"],
        "count": bundle.count,
        "jobs": bundle.jobs,
        "headline": _headline(bundle.groups, bundle.jobs),
        "groups": bundle.groups,
        "lines": lines,
        "more": bundle.count - sum(line["count"] for line in lines),
        "span": span(bundle.first, bundle.last, zone),
        "cluster": wording.visible(settings.CLUSTER_NAME),
        "inbox_url": f"{settings.BASE_URL}/",
        "preferences_url": f"{settings.BASE_URL}/profile/",
        "stop_all_url": Subscription.of(reader, Scope.ALL).url,
    }


def _bundled(delivery: Delivery) -> QuerySet[Notification]:
    return Notification.objects.filter(
        Q(deliveries=delivery.id) | Q(deliveries__bundle=delivery.id, deliveries__state=DeliveryState.BUNDLED)
    )


def _groups(told: QuerySet[Notification]) -> list[dict[str, Any]]:
    """`[{"event", "word", "count", "causes": [(cause, count)], "others"}]`, the worst event first."""
    counted = told.values_list("event", KT("details__why")).annotate(count=Count("id")).order_by("-count")
    causes: dict[str, Counter[str]] = {}
    for event, why, count in counted[:MOST_GROUPS]:
        causes.setdefault(event, Counter())[_why(event, why)] += count
    totals = dict(told.values_list("event").annotate(Count("id")).order_by())
    return [group(event, totals[event], causes.get(event, Counter())) for event in sorted(totals, key=_rank)]


def group(event: str, count: int, causes: Counter[str]) -> dict[str, Any]:
    """All notifications of one event: how many, and why."""
    known = Counter({cause: number for cause, number in causes.items() if cause})
    shown = known.most_common(MOST_CAUSES)
    return {
        "event": event,
        "word": wording.event_word(event),
        "count": count,
        "causes": shown,
        "others": count - sum(number for _, number in shown) if shown else 0,
    }


def _headline(groups: Sequence[Mapping[str, Any]], jobs: int) -> str:
    """ "12 of 500 jobs failed: 9 out of memory, 3 image not found"; "3 retries, 488 succeeded"."""
    first = groups[0]
    if first["event"] != Event.FAILED or not jobs:
        return _list(_phrase(group) for group in groups)
    failed = first["count"]
    story = ngettext("%(failed)d job failed", "%(failed)d jobs failed", jobs)
    if failed < jobs:
        story = ngettext("%(failed)d of %(jobs)d job failed", "%(failed)d of %(jobs)d jobs failed", jobs)
    story %= {"failed": failed, "jobs": jobs}
    if len(first["causes"]) == 1 and not first["others"]:
        return gettext("%(what)s: %(why)s") % {"what": story, "why": first["causes"][0][0]}
    one = gettext("%(count)d %(why)s")
    causes = [one % {"count": number, "why": why} for why, number in first["causes"][:CAUSES_IN_HEADLINE]]
    left = failed - sum(number for _, number in first["causes"][:CAUSES_IN_HEADLINE])
    if causes and left:
        causes.append(gettext("%(count)d otherwise") % {"count": left})
    return gettext("%(what)s: %(why)s") % {"what": story, "why": _list(causes)} if causes else story


def _phrase(group: Mapping[str, Any]) -> str:
    count = group["count"]
    match group["event"]:
        case Event.FAILED:
            phrase = gettext("%(count)d failed")
        case Event.ALERT:
            phrase = ngettext("%(count)d alert", "%(count)d alerts", count)
        case Event.WAITING_TOO_LONG:
            phrase = gettext("%(count)d waiting too long")
        case Event.RETRIED:
            phrase = ngettext("%(count)d retry", "%(count)d retries", count)
        case Event.STOPPED:
            phrase = gettext("%(count)d stopped")
        case Event.SUCCEEDED:
            phrase = gettext("%(count)d succeeded")
        case Event.RUNNING:
            phrase = gettext("%(count)d running")
        case event:
            return f"{count} {wording.event_word(event)}"
    return phrase % {"count": count}


def _list(parts: Iterable[str]) -> str:
    return pgettext("between the parts of a list", ", ").join(parts)


def _first_lines(told: QuerySet[Notification], events: QuerySet[Notification]) -> list[Notification | Sweep]:
    """What several jobs of a sweep say is one line, in the place of its worst event. `events`: those of jobs."""
    ranked = events.filter(group__jobs__gte=LEAST_JOBS).values("group", "group__stem")
    several = ranked.annotate(count=Count("id"), worst=Min(_RANK), place=Min("id")).filter(
        count__gte=LEAST_JOBS
    )
    # Any further sweep, and what it would have to say one by one, comes after these in any case.
    sweeps = list(several.order_by("worst", "place")[:MOST_LINES])
    ids = [sweep["group"] for sweep in sweeps]
    single = told.exclude(id__in=events.filter(group__in=ids).values("id")) if ids else told
    places: list[tuple[int, int, Notification | Sweep]] = [
        (_rank(one.event), one.pk, one) for one in single.order_by(_RANK, "id")[:MOST_LINES]
    ]
    if ids:
        told_of = _sweeps({sweep["group"]: sweep["group__stem"] for sweep in sweeps}, events)
        places += [(sweep["worst"], sweep["place"], told_of[sweep["group"]]) for sweep in sweeps]
    return [one for *_, one in sorted(places, key=lambda place: place[:2])[:MOST_LINES]]


def _sweeps(names: Mapping[int, str], events: QuerySet[Notification]) -> dict[int, Sweep]:
    counted = events.filter(group__in=names).values_list("group", "event").order_by()
    counts: dict[int, dict[str, tuple[int, datetime, datetime]]] = {}
    for group_id, event, *found in counted.annotate(Count("id"), Min("occurred_at"), Max("occurred_at")):
        counts.setdefault(group_id, {})[event] = found[0], found[1], found[2]
    return {
        group_id: Sweep(
            group_id,
            names[group_id],
            {event: by_event[event][0] for event in sorted(by_event, key=_rank)},
            min(first for _, first, _ in by_event.values()),
            max(last for *_, last in by_event.values()),
        )
        for group_id, by_event in counts.items()
    }


def _sweep_line(sweep: Sweep, zone: tzinfo, reader: Notification) -> dict[str, Any]:
    """ "sweep-*: 13 failed, 487 succeeded" """
    event = next(iter(sweep.counts))
    return {
        "event": event,
        "word": wording.event_word(event),
        "name": wording.shorten(wording.visible(sweep.name), MAX_NAME_CHARACTERS),
        "note": _list(_phrase({"event": one, "count": count}) for one, count in sweep.counts.items()),
        "moment": span(sweep.first, sweep.last, zone),
        "url": links.group_page(sweep.group_id),
        "mute_url": Subscription(reader.user_id, Scope.GROUP, group=sweep.group_id).url,
        "count": sum(sweep.counts.values()),
        "is_sweep": True,
    }


def _line(one: Notification, zone: tzinfo) -> dict[str, Any]:
    details = one.details if isinstance(one.details, dict) else {}
    name = (
        wording.title(one.event, one.job_name, one.ordinal, details)
        if one.event == Event.ALERT
        else wording.name_of(one.job_name)
    )
    return {
        "event": one.event,
        "word": wording.event_word(one.event),
        "name": wording.shorten(name, MAX_NAME_CHARACTERS),
        "note": note(one.event, one.ordinal, details),
        "moment": moment(one.occurred_at, zone),
        "url": links.page_of(one),
        "mute_url": Subscription.of(one, Scope.JOB).url if _goes_on(one) else "",
        "count": 1,
        "is_sweep": False,
    }


def _goes_on(one: Notification) -> bool:
    """Whether it is about a job of which more may be told."""
    return one.event not in ENDS and bool(links.framework_of(one))


def _why(event: str, why: str | None) -> str:
    return wording.cause(why) if event == Event.FAILED and why else ""


def _rank(event: str) -> int:
    return ORDER.index(Event(event)) if event in ORDER else len(ORDER)
