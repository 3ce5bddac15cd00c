"""Why something happened and what to do, as pages and mails show it.

All of it is plain text in the language that is active, to be escaped like any other text for the place it goes to; what
is stored is not trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from notifications.wording import duration, in_own_words, number, shorten, text, translated, visible
from preferences.kinds import Event
from preferences.languages import gettext

MAX_LINE_CHARACTERS = 600
MAX_SOLUTIONS = 5
MAX_TEXT_CHARACTERS = 4096
TAB = "    "

ALERT_LABELS: Mapping[str, str] = {"alertname": gettext_noop("Alert"), "severity": gettext_noop("Severity")}
CAUSES: Mapping[str, str] = {
    "user": gettext_noop("The job itself"),
    "platform": gettext_noop("The platform"),
    "resources": gettext_noop("A lack of resources"),
}
ADVICE: Mapping[str, tuple[str, ...]] = {
    Event.WAITING_TOO_LONG: (
        gettext_noop("See whether its virtual cluster has the free resources that it asks for."),
        gettext_noop("A job that asks for less, or runs in another virtual cluster, may start sooner."),
    )
}
_WITH_A_CODE = (Event.FAILED, Event.STOPPED, Event.RETRIED)


@dataclass(frozen=True, slots=True)
class Explanation:
    """`reason`, `solutions` and the pairs of `facts` are lines, the others several; '' and () for what is not known.

    `output` is what the task said last, `diagnostics` what the cluster recorded.
    """

    reason: str
    solutions: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    output: str
    diagnostics: str

    def __bool__(self) -> bool:
        return bool(self.reason or self.solutions or self.output or self.diagnostics)


def explain(event: str, details: Mapping[str, Any]) -> Explanation:
    details = in_own_words(details)
    return Explanation(
        reason=_line(translated(text(details, "reason"))),
        solutions=_solutions(advised(event, details)),
        facts=tuple(_facts(event, details)),
        output=_lines(text(details, "output")),
        diagnostics=_lines(text(details, "diagnostics")),
    )


def advised(event: str, details: Mapping[str, Any]) -> Mapping[str, Any]:
    """The details, with advice for an event that comes without solutions of its own."""
    if details.get("solutions") or event not in ADVICE:
        return details
    return {**details, "solutions": list(ADVICE[event])}


def told(event: str, details: Mapping[str, Any]) -> Mapping[str, Any]:
    """The details as they are shown: with advice, and our own words in the language that is active."""
    shown = advised(event, in_own_words(details))
    reason, solutions = shown.get("reason"), shown.get("solutions")
    words: dict[str, Any] = {"reason": translated(reason)} if isinstance(reason, str) else {}
    if isinstance(solutions, list):
        words["solutions"] = [translated(one) if isinstance(one, str) else one for one in solutions]
    return {**shown, **words}


def last_lines(lines: str, *, most: int, characters: int) -> str:
    """The end of it, where programs say what went wrong."""
    return "\n".join(lines[-characters:].splitlines()[-most:])


def _facts(event: str, details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _alert_facts(details) if event == Event.ALERT else _job_facts(event, details)


def _alert_facts(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What an alert says of itself beside its job."""
    found = details.get("labels")
    labels = found if isinstance(found, dict) else {}
    for name, label in ALERT_LABELS.items():
        if name in labels:
            yield gettext(label), _line(str(labels[name]))
    for name, value in labels.items():
        if name not in (*ALERT_LABELS, "virtual_cluster"):
            yield _line(name), _line(str(value))


def _job_facts(event: str, details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    code, phrase = number(details, "exit_code"), visible(text(details, "phrase"))
    if code is not None and event in _WITH_A_CODE:
        yield gettext("Exit code"), f"{code} ({phrase})" if phrase else str(code)
    causer = text(details, "causer")
    if event == Event.STOPPED and causer == "user":
        yield gettext("Cause"), gettext("Stopped by a user")
    elif causer in CAUSES:
        yield gettext("Cause"), gettext(CAUSES[causer])
    for label, key in ((gettext("Image"), "image"), (gettext("Task"), "task")):
        if text(details, key):
            yield label, _line(text(details, key))
    attempt, most = number(details, "attempt"), number(details, "max_attempts")
    if attempt is not None and (event in _WITH_A_CODE or attempt > 1):
        of_most = gettext("%(attempt)d of %(most)d") % {"attempt": attempt, "most": most or 0}
        yield gettext("Attempt"), str(attempt) if most is None else of_most
    if waited := number(details, "waited_seconds"):
        yield gettext("Waited"), duration(waited)
    ran, last = number(details, "ran_seconds"), number(details, "last_ran_seconds")
    if details.get("never_ran") is True:
        yield gettext("Ran"), gettext("Never")
    elif ran is not None and last is not None:
        both = gettext("%(all)s with all attempts, the last %(last)s")
        yield gettext("Ran"), both % {"all": duration(ran), "last": duration(last)}
    elif ran is not None:
        yield gettext("Ran"), duration(ran)
    if gpus := number(details, "gpus"):
        yield gettext("GPUs"), str(gpus)


def _solutions(details: Mapping[str, Any]) -> tuple[str, ...]:
    found = details.get("solutions")
    lines = found if isinstance(found, list) else []
    return tuple(_line(translated(one)) for one in lines[:MAX_SOLUTIONS] if isinstance(one, str) and one)


def _line(one: str) -> str:
    return shorten(visible(one), MAX_LINE_CHARACTERS)


def _lines(several: str) -> str:
    lines = several[-MAX_TEXT_CHARACTERS:].replace("\t", TAB).strip("\n").splitlines()
    return "\n".join(visible(line.rstrip()) for line in lines)
