"""The diagnoses that a batch of changes needs, each made when it is asked for or its snapshot is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from notifications.sources.frameworks import changes
from notifications.sources.frameworks.changes import TakenChange
from notifications.sources.frameworks.diagnosis import (
    Diagnosis,
    RowFacts,
    diagnose,
    diagnose_retry,
    never_ran,
)
from notifications.sources.frameworks.exit_spec import ExitSpec
from notifications.sources.frameworks.transitions import ends_first_attempt, needs_snapshot


class Diagnoses:
    """Of the changes of one batch. Snapshots are large: a few are read at a time, and none is kept."""

    def __init__(self, taken: list[TakenChange], spec: ExitSpec) -> None:
        self._spec = spec
        wanted = {t.change.framework_name: t for t in taken if t.row.present and needs_snapshot(t.change)}
        self._known = {
            name: diagnose(snapshot, _facts(wanted[name]), spec)
            for name, snapshot in changes.snapshots(list(wanted))
        }

    def of(self, one: TakenChange) -> Diagnosis:
        """The job as it stands now; without a snapshot worth reading, by the columns alone."""
        now = self._known.get(one.change.framework_name) or diagnose(None, _facts(one), self._spec)
        # The snapshot may tell of a later attempt already, which has run.
        return (
            replace(now, ran_at=None)
            if ends_first_attempt(one.change) and never_ran(one.ended_attempt)
            else now
        )

    def of_retry(self, one: TakenChange) -> Mapping[str, Any]:
        """The attempt that has ended; of several at once the first, because that was seen."""
        change, ended = one.change, one.ended_attempt
        return diagnose_retry(
            ended,
            self.of(one).details,
            number=(change.old_retries or 0) + 1 if ended else change.retries,
            retries=change.retries,
            submission_time=change.submission_time,
            spec=self._spec,
        )


def _facts(one: TakenChange) -> RowFacts:
    return one.row.facts(one.change.submission_time)
