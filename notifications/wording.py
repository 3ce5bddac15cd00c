"""The words of a notification: one line that tells the story, and one below it with the facts.

Both are plain text, to be escaped like any other text for the place they go to, in the language that is active.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any

from django.utils.translation import gettext_noop, ngettext, pgettext

from preferences.kinds import Channel, Event
from preferences.languages import gettext

MAX_TITLE_CHARACTERS = 120
MAX_WHY_CHARACTERS = 60
CAUSERS = {
    "user": gettext_noop("caused by the job itself"),
    "platform": gettext_noop("caused by the platform"),
    "resources": gettext_noop("caused by a lack of resources"),
}

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")

_EXIT_CODE = re.compile(r"exit code (-?[0-9]{1,10})")
_ENDS = (Event.SUCCEEDED, Event.FAILED, Event.STOPPED, Event.RETRIED)
"""What ends a job, or an attempt."""

MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60


def title(event: str, job_name: str, ordinal: int, details: Mapping[str, Any]) -> str:
    """ "resnet50-lr3 failed: out of GPU memory"; one printable line of at most MAX_TITLE_CHARACTERS."""
    if event == Event.ALERT:
        return shorten(_alert_title(job_name, in_own_words(details)), MAX_TITLE_CHARACTERS)
    story = _ended(sweep) if (sweep := sweep_of(details)) else _story(event, ordinal, details)
    name = name_of(job_name)
    return f"{shorten(name, MAX_TITLE_CHARACTERS - len(story) - 1)} {story}"


def summary(event: str, details: Mapping[str, Any]) -> str:
    """ "Ran 2 hours 5 minutes · exit code 226 · caused by the job itself"; '' when nothing is known."""
    if event == Event.ALERT:
        return _alert_summary(in_own_words(details))
    if sweep := sweep_of(details):
        jobs = sum(sweep.values())
        return ngettext("%(count)d job", "%(count)d jobs", jobs) % {"count": jobs}
    facts: list[str | None] = []
    waited, ran = number(details, "waited_seconds"), number(details, "ran_seconds")
    attempt = _attempt(details)
    if event == Event.RETRIED:
        facts.append(attempt)
    if event in (Event.RUNNING, *_ENDS) and waited:
        facts.append(gettext("waited %(duration)s") % {"duration": duration(waited)})
    if event in _ENDS and details.get("never_ran") is True:
        facts.append(gettext("never ran"))
    elif event in _ENDS and ran is not None:
        facts.append(gettext("ran %(duration)s") % {"duration": duration(ran)})
    if event in (Event.FAILED, Event.RETRIED):
        code, task = number(details, "exit_code"), text(details, "task")
        facts += [
            None if code is None else _exit_code(code),
            translated(CAUSERS.get(text(details, "causer"), "")),
            gettext("task %(task)s") % {"task": visible(task)} if task else None,
        ]
    gpus = number(details, "gpus")
    if number(details, "retries") and event != Event.RETRIED:
        facts.append(attempt)
    if gpus:
        facts.append(ngettext("%(count)d GPU", "%(count)d GPUs", gpus) % {"count": gpus})
    line = " · ".join(fact for fact in facts if fact)
    return line[:1].upper() + line[1:]


def event_word(event: str) -> str:
    """ "Waiting too long", for labels and the subjects of mails."""
    return gettext(str(Event(event).label)) if event in Event.values else visible(event)


def name_of(job_name: str) -> str:
    return visible(job_name) or gettext("(unnamed job)")


def why(details: Mapping[str, Any]) -> str:
    """What completes "failed: …"; '' when it is not known."""
    return cause(text(details, "why"))


def cause(stored: str) -> str:
    """The `why` of details, as it is shown."""
    if found := _EXIT_CODE.fullmatch(stored):
        return _exit_code(int(found[1]))
    return shorten(visible(translated(stored)), MAX_WHY_CHARACTERS)


def translated(text: str) -> str:
    """What is stored in our own words is stored in English; anything else stays as it is."""
    return gettext(text) if text else ""  # the translation of '' is the catalogue's header


def duration(seconds: int) -> str:
    """ "45 seconds", "60 minutes", "2 hours 5 minutes", "3 days 4 hours": never more than two units."""
    if seconds < 2 * MINUTE:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    if seconds < 2 * HOUR:
        return _minutes(seconds // MINUTE)
    if seconds < 2 * DAY:
        return _two(
            _hours(seconds // HOUR), _minutes(seconds % HOUR // MINUTE) if seconds % HOUR >= MINUTE else ""
        )
    return _two(_days(seconds // DAY), _hours(seconds % DAY // HOUR) if seconds % DAY >= HOUR else "")


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
    if value is None or isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return int(value)


def text(details: Mapping[str, Any], key: str) -> str:
    """A text of the details; '' for none, and for anything else."""
    value = details.get(key)
    return value if isinstance(value, str) else ""


def sweep_of(details: Mapping[str, Any]) -> dict[str, int]:
    """Jobs by state, of the details of a group that has ended; {} of anything else."""
    sweep = details.get("sweep")
    if not isinstance(sweep, Mapping):
        return {}
    return {
        state: number(sweep, state) or 0 for state in ("succeeded", "failed", "stopped", "waiting", "running")
    }


def counts_line(
    counts: Mapping[str, int], *, always: Collection[str] = ("succeeded", "failed", "running")
) -> str:
    """ "487 succeeded, 13 failed, 0 running": the states in `always`, and those that some jobs are in."""
    texts = {
        "succeeded": gettext("%(count)d succeeded"),
        "failed": gettext("%(count)d failed"),
        "stopped": gettext("%(count)d stopped"),
        "waiting": gettext("%(count)d waiting"),
        "running": gettext("%(count)d running"),
    }
    parts = [
        text % {"count": counts[state]} for state, text in texts.items() if counts[state] or state in always
    ]
    return pgettext("between the parts of a list", ", ").join(parts)


def _ended(counts: Mapping[str, int]) -> str:
    return gettext("has ended: %(counts)s") % {"counts": counts_line(counts, always=())}


def _story(event: str, ordinal: int, details: Mapping[str, Any]) -> str:
    match event:
        case Event.RUNNING:
            return gettext("is running")
        case Event.SUCCEEDED:
            return gettext("succeeded")
        case Event.FAILED:
            code = number(details, "exit_code")
            reason = why(details) or ("" if code is None else _exit_code(code))
            return gettext("failed: %(why)s") % {"why": reason} if reason else gettext("failed")
        case Event.STOPPED:
            return gettext("was stopped")
        case Event.RETRIED if details.get("skipped"):
            times = ngettext("was retried, now %(count)d time", "was retried, now %(count)d times", ordinal)
            return times % {"count": ordinal}
        case Event.RETRIED:
            retried = gettext("was retried (retry %(number)d)") % {"number": ordinal}
            reason = why(details)
            return gettext("%(what)s: %(why)s") % {"what": retried, "why": reason} if reason else retried
        case Event.WAITING_TOO_LONG:
            waited = number(details, "waited_seconds")
            if waited is None:
                return gettext("has been waiting too long")
            return gettext("has been waiting for %(duration)s") % {"duration": duration(waited)}
        case _:
            return shorten(visible(event), MAX_WHY_CHARACTERS)


def _attempt(details: Mapping[str, Any]) -> str | None:
    attempt, most = number(details, "attempt"), number(details, "max_attempts")
    if attempt is None:
        return None
    if most is None:
        return gettext("attempt %(attempt)d") % {"attempt": attempt}
    return gettext("attempt %(attempt)d of %(most)d") % {"attempt": attempt, "most": most}


def pause_words(pause: Mapping[str, Any]) -> dict[str, str]:
    """What an alert of ours says of a channel that has paused: `channel`, `why`, and after how many `minutes` it is
    tried again."""
    label = dict(Channel.choices).get(text(pause, "channel"), text(pause, "channel"))
    reason = gettext(
        "%(why)s. What is to be sent waits, and nothing is lost. Once it is mended, resume the channel in the admin; "
        "it is also tried again every %(minutes)d minutes."
    )
    return {
        "alertname": gettext("Channel paused"),
        "summary": gettext("%(channel)s is paused: nothing can be sent") % {"channel": label},
        "reason": reason % {"why": text(pause, "why"), "minutes": number(pause, "minutes") or 0},
    }


def in_own_words(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """The details; of an alert of ours in the language that is active."""
    pause = details.get("pause")
    return {**details, **pause_words(pause)} if isinstance(pause, dict) else details


def _alert_title(job_name: str, details: Mapping[str, Any]) -> str:
    """What the alert's author says of it; else its name, with the job's."""
    name = visible(text(details, "alertname")) or event_word(Event.ALERT)
    return visible(text(details, "summary")) or (f"{name}: {visible(job_name)}" if job_name else name)


def _alert_summary(details: Mapping[str, Any]) -> str:
    lasted = number(details, "lasted_seconds")
    facts = [
        visible(text(details, "severity")),
        visible(text(details, "alertname")) if text(details, "summary") else "",
        gettext("resolved after %(duration)s") % {"duration": duration(lasted)} if lasted is not None else "",
    ]
    line = " · ".join(shorten(fact, MAX_WHY_CHARACTERS) for fact in facts if fact)
    return line[:1].upper() + line[1:]


def _exit_code(code: int) -> str:
    return gettext("exit code %(code)d") % {"code": code}


def _minutes(count: int) -> str:
    return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}


def _hours(count: int) -> str:
    return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}


def _days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def _two(major: str, minor: str) -> str:
    return f"{major} {minor}" if minor else major
