"""What users do to their notifications, one or many at once, and how it is taken back exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils.dateparse import parse_datetime

from notifications import finding, inbox, undoing
from notifications.models import Notification

BATCH_ROWS = 1000
UNDO_SALT = "notifications.undo"

State = tuple[datetime | bool | None, ...]
"""The values of an action's columns."""


@dataclass(frozen=True, slots=True)
class Action:
    """`pending` tells the rows that it would change; `changes(until)` what they become."""

    pending: Q
    changes: Callable[[datetime | None], Mapping[str, Any]]

    @property
    def columns(self) -> list[str]:
        """What undoing has to bring back."""
        written = set(self.changes(None))
        return sorted(written | _FOLDER if written & _FOLDER else written)


def _fixed(**changes: Any) -> Callable[[datetime | None], Mapping[str, Any]]:
    return lambda until: changes


_FOLDER = {"archived_at", "snoozed_until"}
"""Where a row lies. They go together: what is archived does not come back."""

_IN_FOLDER = Q(archived_at=None)

ACTIONS: dict[str, Action] = {
    "read": Action(Q(read_at=None), _fixed(read_at=Now())),
    "unread": Action(Q(read_at__isnull=False), _fixed(read_at=None)),
    "archive": Action(_IN_FOLDER, _fixed(archived_at=Now(), snoozed_until=None)),
    "unarchive": Action(Q(archived_at__isnull=False), _fixed(archived_at=None)),
    "save": Action(Q(saved=False), _fixed(saved=True)),
    "unsave": Action(Q(saved=True), _fixed(saved=False)),
    "snooze": Action(Q(), lambda until: {"snoozed_until": until, "archived_at": None}),
    "unsnooze": Action(Q(snoozed_until__isnull=False), _fixed(snoozed_until=None)),
}


@dataclass(frozen=True, slots=True)
class Changed:
    """`before`: the rows that were changed, by what their `columns` held. `go_on`: as in `finding`."""

    columns: Sequence[str]
    before: Mapping[State, list[int]]
    go_on: int | None = None

    @property
    def count(self) -> int:
        return sum(map(len, self.before.values()))


def change(
    *,
    user_id: int,
    ids: Collection[int],
    action: str,
    until: datetime | None = None,
    go_on: int | None = None,
) -> Changed:
    """Do it to these. Foreign and unknown ids, and what is in that state already, are passed over."""
    todo = ACTIONS[action]
    rows = inbox.own(user_id).filter(todo.pending, id__in=ids)
    with transaction.atomic():
        before = _lock(rows, todo.columns)
        changed = [one for same in before.values() for one in same]
        if changed:
            Notification.objects.filter(id__in=changed).update(**todo.changes(until))
            inbox.tell_pages(user_id)
    return Changed(todo.columns, before, go_on)


def change_matching(
    *,
    user_id: int,
    filters: finding.Filters,
    action: str,
    until: datetime | None = None,
    start: int | None = None,
) -> Changed:
    """Do it to the next BATCH_ROWS at most of those that match, newest first."""
    found = finding.find(user_id=user_id, filters=filters, size=BATCH_ROWS, start=start)
    return change(user_id=user_id, ids=found.ids, action=action, until=until, go_on=found.go_on)


def set_flags(*, user_id: int, notification_id: int, flags: Mapping[str, Any]) -> Notification | None:
    """Change one; None when the user has no such one. What is read or archived keeps the time since when it is.

    `flags` may hold `read`, `archived`, `saved` (bool) and `snoozed_until` (a time, or None).
    """
    changes: dict[str, Any] = {}
    if "read" in flags:
        changes["read_at"] = Coalesce("read_at", Now()) if flags["read"] else None
    if "archived" in flags:
        changes["archived_at"] = Coalesce("archived_at", Now()) if flags["archived"] else None
        if flags["archived"]:
            changes["snoozed_until"] = None
    if "saved" in flags:
        changes["saved"] = flags["saved"]
    if "snoozed_until" in flags:
        changes["snoozed_until"] = flags["snoozed_until"]
        if flags["snoozed_until"]:
            changes["archived_at"] = None
    one = inbox.own(user_id).filter(id=notification_id)
    if changes:
        with transaction.atomic():
            if one.select_related(None).update(**changes):
                inbox.tell_pages(user_id)
    return one.first()


def undo_token(user_id: int, changed: Changed) -> str:
    """What `undo` needs, to be kept by the client."""
    if not changed.before:
        return ""
    states = [[_as_json(state), ids] for state, ids in changed.before.items()]
    return undoing.token_of(user_id, changed.columns, states, salt=UNDO_SALT)


def undo(*, user_id: int, token: str) -> int:
    """Give these rows back what was changed, and leave alone what was done to them otherwise since; returns how many.
    Raises undoing.CannotUndoError."""
    columns, states = undoing.facts_of(token, user_id=user_id, salt=UNDO_SALT)
    count = 0
    with transaction.atomic():
        _lock(inbox.own(user_id).filter(id__in=[one for _, ids in states for one in ids]), columns)
        for state, ids in states:
            values = dict(zip(columns, _from_json(state), strict=True))
            count += Notification.objects.filter(id__in=ids).update(**values)
        if count:
            inbox.tell_pages(user_id)
    return count


def _lock(rows: QuerySet[Notification], columns: Sequence[str]) -> dict[State, list[int]]:
    """Locked in the order of ids, which all who lock several have in common."""
    before: dict[State, list[int]] = defaultdict(list)
    locked = rows.select_related(None).order_by("id").select_for_update(no_key=True)
    for one, *state in locked.values_list("id", *columns):
        before[tuple(state)].append(one)
    return before


def _as_json(state: State) -> list[object]:
    return [value.isoformat() if isinstance(value, datetime) else value for value in state]


def _from_json(state: list[Any]) -> list[Any]:
    return [parse_datetime(value) if isinstance(value, str) else value for value in state]
