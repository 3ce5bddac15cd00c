"""Where events come from. A further source (another scheduler) is one package with one `Source`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field

from notifications.counting import Tally
from notifications.events import JobEvent
from preferences.rules import NO_FILE, JobFile
from preferences.wishes import JobKey, Wishes


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that happened, before it is decided whether anybody wants to hear of it."""

    event: JobEvent
    username: str
    job_name: str
    virtual_cluster: str = ""
    file: JobFile = NO_FILE

    @property
    def job(self) -> JobKey:
        return self.event.framework_name, self.event.submission_time


@dataclass(slots=True)
class Batch:
    """What one step of the poller handles. Candidates are in the order in which they happened.

    `is_full`: the limit was reached, so that more is likely to be waiting. `ages`: for each change that the metrics
    do not have yet, how many seconds ago it took place when the transaction began; `tally`: what else they get.
    """

    is_full: bool = False
    candidates: list[Candidate] = field(default_factory=list)
    usernames: set[str] = field(default_factory=set)
    frameworks: set[str] = field(default_factory=set)
    ages: list[float] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    def add(self, candidate: Candidate) -> None:
        self.candidates.append(candidate)
        self.usernames.add(candidate.username)
        self.frameworks.add(candidate.event.framework_name)


class Source(ABC):
    """Called by the poller inside its transaction, from one process at a time."""

    @abstractmethod
    def take(self, limit: int) -> Batch | None:
        """The next changes, oldest first, at most `limit`; None when nothing is due."""

    @abstractmethod
    def add_timed(self, batch: Batch, wishes: Wishes) -> None:
        """Add the candidates that depend on a limit somebody has set."""

    @abstractmethod
    def finish(self, batch: Batch, told: Collection[str]) -> None:
        """Remove what was taken, and mirror what was told of the frameworks named in `told`."""

    @abstractmethod
    def put_aside(self, error: str) -> bool:
        """Take what `take(1)` takes out of the line, because of this error; False when there is nothing."""

    @abstractmethod
    def reconcile(self) -> int:
        """Queue what was missed while nobody watched; returns the number of changes queued."""

    @abstractmethod
    def reconcile_recent(self) -> None:
        """The capture says that it has missed something a moment ago: find it."""

    @abstractmethod
    def look_after(self) -> None:
        """Small regular duties, every few seconds."""

    @abstractmethod
    def problem(self) -> str:
        """Why this source cannot work, with what to do; '' when it can."""

    @abstractmethod
    def put_back(self) -> str:
        """Mend what others have taken away of what was installed; '' or why that was not possible."""

    @abstractmethod
    def has_work(self) -> bool:
        """Whether a change is waiting now."""
