"""Where events come from. A further source (another scheduler) is one package with one `Source`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from notifications.counting import Tally
from notifications.events import JobEvent
from notifications.groups.following import Membership
from preferences.prepared import Message
from preferences.rules import NO_FILE, JobFile
from preferences.wishes import JobKey, Wishes


class UndigestibleError(Exception):
    """What was taken means nothing to us; the message says why."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that happened, before it is decided whether anybody wants to hear of it.

    `about`: the job that an event which is not the job's own is about; muting that job silences it.
    """

    event: JobEvent
    username: str
    job_name: str
    virtual_cluster: str = ""
    file: JobFile = NO_FILE
    about: JobKey | None = None

    @property
    def job(self) -> JobKey:
        return self.about or (self.event.framework_name, self.event.submission_time)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was told under this name and time is over; `details` are added to what is known of it."""

    framework_name: str
    submission_time: datetime
    details: Mapping[str, Any]


@dataclass(slots=True)
class Batch:
    """What one step of the poller handles. Candidates are in the order in which they happened.

    `is_full`: the limit was reached, so that more is likely to be waiting. `ages`: for each change that the metrics
    do not have yet, how many seconds ago it took place when the transaction began; `tally`: what else they get.
    `groups`: of the jobs that belong to one. `last`: what the transaction ends with.
    """

    is_full: bool = False
    candidates: list[Candidate] = field(default_factory=list)
    usernames: set[str] = field(default_factory=set)
    frameworks: set[str] = field(default_factory=set)
    ages: list[float] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    resolutions: list[Resolution] = field(default_factory=list)
    groups: dict[JobKey, Membership] = field(default_factory=dict)
    last: Message = field(default_factory=Message)

    def add(self, candidate: Candidate) -> None:
        self.candidates.append(candidate)
        self.usernames.add(candidate.username)
        self.frameworks.add(candidate.job[0])


class Source(ABC):
    """Called by the poller inside its transaction, from one process at a time."""

    @abstractmethod
    def take(self, limit: int) -> Batch | None:
        """The next changes, oldest first, at most `limit`; None when nothing is due."""

    def is_worth_a_look(self) -> bool:
        """A cheap question before each step; False spares the transaction."""
        return True

    def add_timed(self, batch: Batch, wishes: Wishes) -> None:
        """Add the candidates that depend on a limit somebody has set."""
        return

    @abstractmethod
    def finish(self, batch: Batch, told: Collection[str]) -> None:
        """Remove what was taken, and mirror what was told of the frameworks named in `told`; with `batch.last`, what
        needs no answer."""

    @abstractmethod
    def put_aside(self, error: str) -> bool:
        """Take what `take(1)` takes out of the line, because of this error; False when there is nothing."""

    @abstractmethod
    def has_work(self) -> bool:
        """Whether a change is waiting now."""

    def reconcile(self) -> int:
        """Queue what was missed while nobody watched; returns the number of changes queued."""
        return 0

    def reconcile_recent(self) -> None:
        """The capture says that it has missed something a moment ago: find it."""
        return

    def look_after(self) -> None:
        """Small regular duties, every few seconds."""
        return

    def problem(self) -> str:
        """Why this source cannot work, with what to do; '' when it can."""
        return ""

    def put_back(self) -> str:
        """Mend what others have taken away of what was installed; '' or why that was not possible."""
        return ""
