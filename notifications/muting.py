"""Muting the jobs that many notifications are about, and taking that back exactly."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from notifications import finding, inbox, jobs, links, marking, undoing
from notifications.models import Notification
from notifications.sources.ingest.names import ALERT_PREFIX, is_reported
from preferences import services
from preferences.services import Mute
from preferences.wishes import JobKey

MUTE, UNMUTE = "mute", "unmute"
ACTIONS = (MUTE, UNMUTE)
UNDO_SALT = "notifications.unmute"


@dataclass(frozen=True, slots=True)
class Muted:
    """`now` holds of the jobs in `before`, of which something else held then. `go_on`: as in `finding`."""

    now: Mute | None
    before: Mapping[JobKey, Mute | None]
    go_on: int | None = None

    @property
    def count(self) -> int:
        return len(self.before)


def change(*, viewer: User, ids: Collection[int], mute: Mute | None, go_on: int | None = None) -> Muted:
    """Mute the jobs of these, as they are in the cluster's table now; None ends it.

    Passed over is what is not the viewer's, no longer there, or so already. Raises JobsUnavailableError.
    """
    keys = jobs.submissions(viewer=viewer, framework_names=_frameworks(viewer.pk, ids))
    with transaction.atomic():
        before = services.change_mutes(wanted=dict.fromkeys(keys, mute))
        if before:
            inbox.tell_pages(viewer.pk)
    return Muted(mute, before, go_on)


def change_matching(
    *, viewer: User, filters: finding.Filters, mute: Mute | None, start: int | None = None
) -> Muted:
    """The same for the next `marking.BATCH_ROWS` at most of those that match, newest first."""
    found = finding.find(user_id=viewer.pk, filters=filters, size=marking.BATCH_ROWS, start=start)
    return change(viewer=viewer, ids=found.ids, mute=mute, go_on=found.go_on)


def undo_token(user_id: int, muted: Muted) -> str:
    """What `undo` needs, to be kept by the client; '' when nothing was changed."""
    if not muted.before:
        return ""
    before = [
        [name, submitted.isoformat(), _as_json(mute)] for (name, submitted), mute in muted.before.items()
    ]
    return undoing.token_of(user_id, _as_json(muted.now), before, salt=UNDO_SALT)


def undo(*, user_id: int, token: str) -> int:
    """Have hold again what held before; returns of how many jobs. One that was changed since is left alone.

    Raises undoing.CannotUndoError.
    """
    now, before = undoing.facts_of(token, user_id=user_id, salt=UNDO_SALT)
    wanted = {(name, datetime.fromisoformat(at)): _from_json(mute) for name, at, mute in before}
    with transaction.atomic():
        changed = services.change_mutes(wanted=wanted, expected=_from_json(now))
        if changed:
            inbox.tell_pages(user_id)
    return len(changed)


def _frameworks(user_id: int, ids: Collection[int]) -> set[str]:
    """The jobs of the cluster that these are about; only of alerts do the details have to be read for that."""
    rows = inbox.own(user_id).filter(id__in=ids).select_related(None)
    names = set(
        rows.exclude(framework_name__startswith=ALERT_PREFIX).values_list("framework_name", flat=True)
    )
    alerts = rows.filter(framework_name__startswith=ALERT_PREFIX).only("framework_name", "details")
    about = {links.framework_of(one) for one in [*map(_named, names), *alerts]}
    return {name for name in about if name and not is_reported(name)}


def _named(framework_name: str) -> Notification:
    return Notification(framework_name=framework_name)


def _as_json(mute: Mute | None) -> str | None:
    return None if mute is None else mute.until.isoformat() if mute.until else ""


def _from_json(mute: str | None) -> Mute | None:
    return None if mute is None else Mute(datetime.fromisoformat(mute) if mute else None)
