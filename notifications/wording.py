"""The words of a notification: one line that tells the story, and one below it with the facts.

Both are plain text, to be escaped like any other text for the place they go to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from preferences.kinds import Event

MAX_TITLE_CHARACTERS = 120
MAX_WHY_CHARACTERS = 60
UNNAMED = "(unnamed job)"

CAUSERS = {
    "user": "caused by the job itself",
    "platform": "caused by the platform",
    "resources": "caused by a lack of resources",
}

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")

_ENDS = (Event.SUCCEEDED, Event.FAILED, Event.STOPPED, Event.RETRIED)
"""What ends a job, or an attempt."""

MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60


def title(event: str, job_name: str, ordinal: int, details: Mapping[str, Any]) -> str:
    """ "resnet50-lr3 failed: out of GPU memory"; one printable line of at most MAX_TITLE_CHARACTERS."""
    if event == Event.ALERT:
        return shorten(_alert_title(job_name, details), MAX_TITLE_CHARACTERS)
    story = _story(event, ordinal, details)
    name = visible(job_name) or UNNAMED
    return f"{shorten(name, MAX_TITLE_CHARACTERS - len(story) - 1)} {story}"


def summary(event: str, details: Mapping[str, Any]) -> str:
    """ "Ran 2 hours 5 minutes · exit code 226 · caused by the job itself"; '' when nothing is known."""
    if event == Event.ALERT:
        return _alert_summary(details)
    facts: list[str | None] = []
    waited, ran = number(details, "waited_seconds"), number(details, "ran_seconds")
    attempt = _attempt(details)
    if event == Event.RETRIED:
        facts.append(attempt)
    if event in (Event.RUNNING, *_ENDS) and waited:
        facts.append(f"waited {duration(waited)}")
    if event in _ENDS and details.get("never_ran") is True:
        facts.append("never ran")
    elif event in _ENDS and ran is not None:
        facts.append(f"ran {duration(ran)}")
    if event in (Event.FAILED, Event.RETRIED):
        code = number(details, "exit_code")
        facts += [
            None if code is None else f"exit code {code}",
            CAUSERS.get(text(details, "causer")),
            f"task {visible(text(details, 'task'))}" if text(details, "task") else None,
        ]
    gpus = number(details, "gpus")
    if number(details, "retries") and event != Event.RETRIED:
        facts.append(attempt)
    if gpus:
        facts.append(_count(gpus, "GPU", "GPUs"))
    line = " · ".join(fact for fact in facts if fact)
    return line[:1].upper() + line[1:]


def event_word(event: str) -> str:
    """ "Waiting too long", for labels and the subjects of mails."""
    return str(Event(event).label) if event in Event.values else visible(event)


def duration(seconds: int) -> str:
    """ "45 seconds", "60 minutes", "2 hours 5 minutes", "3 days 4 hours": never more than two units."""
    if seconds < 2 * MINUTE:
        return _count(seconds, "second", "seconds")
    if seconds < 2 * HOUR:
        return _count(seconds // MINUTE, "minute", "minutes")
    if seconds < 2 * DAY:
        return _two(seconds // HOUR, "hours", seconds % HOUR // MINUTE, "minute")
    return _two(seconds // DAY, "days", seconds % DAY // HOUR, "hour")


def visible(text: str) -> str:
    """The text on one line; what cannot be seen (newline, direction mark) is written like \\n, \\u202e."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """The text without control and direction characters: safe for a header, a log line, an admin page."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def shorten(text: str, length: int) -> str:
    """Cuts in the middle: what tells jobs apart often stands at the end of their names."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def number(details: Mapping[str, Any], key: str) -> int | None:
    """A whole number of the details; None for none, and for anything else."""
    value = details.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return int(value)


def text(details: Mapping[str, Any], key: str) -> str:
    """A text of the details; '' for none, and for anything else."""
    value = details.get(key)
    return value if isinstance(value, str) else ""


def _story(event: str, ordinal: int, details: Mapping[str, Any]) -> str:
    match event:
        case Event.RUNNING:
            return "is running"
        case Event.SUCCEEDED:
            return "succeeded"
        case Event.FAILED:
            why = shorten(visible(text(details, "why")), MAX_WHY_CHARACTERS)
            code = number(details, "exit_code")
            why = why or ("" if code is None else f"exit code {code}")
            return f"failed: {why}" if why else "failed"
        case Event.STOPPED:
            return "was stopped"
        case Event.RETRIED if details.get("skipped"):
            return f"was retried, now {_count(ordinal, 'time', 'times')}"
        case Event.RETRIED:
            why = shorten(visible(text(details, "why")), MAX_WHY_CHARACTERS)
            return f"was retried (retry {ordinal})" + (f": {why}" if why else "")
        case Event.WAITING_TOO_LONG:
            waited = number(details, "waited_seconds")
            return (
                "has been waiting too long" if waited is None else f"has been waiting for {duration(waited)}"
            )
        case _:
            return shorten(visible(event), MAX_WHY_CHARACTERS)


def _attempt(details: Mapping[str, Any]) -> str | None:
    attempt, most = number(details, "attempt"), number(details, "max_attempts")
    if attempt is None:
        return None
    return f"attempt {attempt}" if most is None else f"attempt {attempt} of {most}"


def _alert_title(job_name: str, details: Mapping[str, Any]) -> str:
    """What the alert's author says of it; else its name, with the job's."""
    name = visible(text(details, "alertname")) or str(Event.ALERT.label)
    return visible(text(details, "summary")) or (f"{name}: {visible(job_name)}" if job_name else name)


def _alert_summary(details: Mapping[str, Any]) -> str:
    lasted = number(details, "lasted_seconds")
    facts = [
        visible(text(details, "severity")),
        visible(text(details, "alertname")) if text(details, "summary") else "",
        f"resolved after {duration(lasted)}" if lasted is not None else "",
    ]
    line = " · ".join(shorten(fact, MAX_WHY_CHARACTERS) for fact in facts if fact)
    return line[:1].upper() + line[1:]


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _two(major: int, majors: str, minor: int, minor_one: str) -> str:
    return f"{major} {majors}" + (f" {_count(minor, minor_one, minor_one + 's')}" if minor else "")
