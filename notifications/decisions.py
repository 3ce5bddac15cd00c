"""What the rules say of each candidate of a batch; what they say of a whole kind of them, they are asked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from notifications.groups.following import Membership
from notifications.sources.base import Candidate
from preferences.kinds import Event
from preferences.rules import NO_OVERRIDE, Decision, decide
from preferences.wishes import JobKey, Wishes

NO_GROUPS: Mapping[JobKey, Membership] = MappingProxyType({})


class Decisions:
    """Of one batch. Most jobs have neither an override nor a block of their own in their file; for these the owner,
    the event and the columns that ask for something decide alone.
    """

    def __init__(self, wishes: Wishes, groups: Mapping[JobKey, Membership] = NO_GROUPS) -> None:
        self._wishes = wishes
        self._muted = {job for job, of in groups.items() if of.muted}
        self._known: dict[tuple[str, Event, frozenset[Event]], Decision] = {}

    def about(self, candidate: Candidate) -> Decision:
        overrides, file = self._wishes.overrides, candidate.file
        if self._muted and candidate.job in self._muted:
            return self._decide(candidate, muted=True)
        if (overrides and candidate.job in overrides) or file.block is not None or file.ignored:
            return self._decide(candidate)
        key = candidate.username, candidate.event.event, file.columns
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._decide(candidate)
        return known

    def _decide(self, candidate: Candidate, *, muted: bool = False) -> Decision:
        wishes = self._wishes
        override = wishes.overrides.get(candidate.job, NO_OVERRIDE)
        return decide(
            candidate.event.event,
            override=replace(override, muted=True) if muted else override,
            file=candidate.file,
            owner=wishes.owners[candidate.username].wishes,
            site=wishes.site,
            channels=partial(wishes.channels, candidate.username),
        )
