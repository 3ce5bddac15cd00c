"""Why and how a job ended, from the snapshot of its Framework object and, without one, from its columns.

The snapshot holds what users put into it, and may be missing, broken or huge: nothing here raises, every text
is cleaned and cut, and what cannot be read is left out. Shape: `status` of frameworkcontroller's Framework.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from notifications.sources.frameworks import exit_codes

MAX_SNAPSHOT_CHARACTERS = 4 * 1024 * 1024
MAX_DIAGNOSTICS_BYTES = 4 * 1024
MAX_PHRASE_CHARACTERS = 100
MAX_TASK_ROLE_CHARACTERS = 100
MAX_INTEGER = 2**31 - 1

NEVER_CREATED = -1100
"""The cluster's synthetic failure: all its times are equal, runTime too, and nothing ever ran."""

_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class RowFacts:
    """The columns of a `frameworks` row that say how the job went."""

    exit_code: int | None
    retries: int | None
    gpus: int | None
    submission_time: datetime
    launch_time: datetime | None
    completion_time: datetime | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`ran_at` is None when the job never ran, or nothing proves that it did.

    `details` is ready for JSON, with those of these keys that are known: exit_code, phrase, why (completes
    "failed: …"), reason, causer ("user", "platform" or "resources"), solutions, task ("worker[3]"),
    diagnostics, retries, max_retries, waited_seconds, ran_seconds, gpus.
    """

    ran_at: datetime | None
    ended_at: datetime | None
    details: dict[str, Any]


def diagnose(snapshot: str | None, facts: RowFacts) -> Diagnosis:
    framework = _parsed(snapshot)
    status = _object(framework, "status")
    attempt = _object(status, "attemptStatus")
    completion = _object(attempt, "completionStatus")

    code = _integer(completion.get("code"))
    if code is None:
        code = facts.exit_code
    ended_at = facts.completion_time or _time(status.get("completionTime"))
    ran_at = _ran_at(status, attempt, facts, code)

    details = _ending(code, completion)
    details["retries"] = facts.retries
    details["max_retries"] = _max_retries(framework)
    details["gpus"] = facts.gpus
    details["waited_seconds"] = _seconds(facts.submission_time, ran_at or ended_at)
    details["ran_seconds"] = _seconds(ran_at, ended_at)
    return Diagnosis(ran_at, ended_at, {key: value for key, value in details.items() if value is not None})


def clean(text: str, limit_bytes: int) -> str:
    """Storable text of bounded size: no control characters but newline and tab, no lone surrogates."""
    text = _UNSTORABLE.sub("", text[:limit_bytes])
    return text.encode()[:limit_bytes].decode(errors="ignore")


def _parsed(snapshot: str | None) -> Mapping[str, Any]:
    if not snapshot or len(snapshot) > MAX_SNAPSHOT_CHARACTERS:
        return _NOTHING
    try:
        framework = json.loads(snapshot)
    except (ValueError, RecursionError):
        return _NOTHING
    return framework if isinstance(framework, dict) else _NOTHING


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else _NOTHING


def _integer(value: Any) -> int | None:
    if type(value) is int and -MAX_INTEGER <= value <= MAX_INTEGER:
        return value
    return None


def _time(value: Any) -> datetime | None:
    """A Kubernetes time. Go's zero time (year 1) means that there is none; far ones are nonsense."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    if not 2000 <= time.year < 3000:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _ran_at(
    status: Mapping[str, Any], attempt: Mapping[str, Any], facts: RowFacts, code: int | None
) -> datetime | None:
    """The snapshot's runTime is the proof. Without a snapshot, launchTime is one unless it may be the end."""
    if code == NEVER_CREATED:
        return None
    if "runTime" in status:
        return _time(status["runTime"])
    if "runTime" in attempt:  # controllers before v0.8 have it only there
        return _time(attempt["runTime"])
    return facts.launch_time if facts.launch_time != facts.completion_time else None


def _ending(code: int | None, completion: Mapping[str, Any]) -> dict[str, Any]:
    if code is None:
        return {}
    phrase = completion.get("phrase")
    phrase = clean(phrase, MAX_PHRASE_CHARACTERS) if isinstance(phrase, str) else ""
    known = exit_codes.explain(code, phrase)
    ending: dict[str, Any] = {"exit_code": code, "phrase": phrase or (known.phrase if known else None)}
    if code == 0:
        return ending
    if known:
        ending["why"] = known.why
        ending["reason"] = known.reason or None
        ending["causer"] = known.causer.value if known.causer else None
        ending["solutions"] = list(known.solutions) or None
    else:
        ending["why"] = _words(phrase) or f"exit code {code}"
    ending["task"] = _task(_object(completion, "trigger"))
    diagnostics = completion.get("diagnostics")
    if isinstance(diagnostics, str):
        ending["diagnostics"] = clean(diagnostics, MAX_DIAGNOSTICS_BYTES) or None
    return ending


def _words(phrase: str) -> str:
    """ "GpuTooHot" → "gpu too hot": a phrase of the cluster's own edition of the catalogue."""
    return " ".join(_CAMEL_CASE.sub(" ", phrase).split()).lower()


def _task(trigger: Mapping[str, Any]) -> str | None:
    role, index = trigger.get("taskRoleName"), _integer(trigger.get("taskIndex"))
    if not isinstance(role, str) or not role:
        return None
    role = clean(role, MAX_TASK_ROLE_CHARACTERS)
    return role if index is None else f"{role}[{index}]"


def _max_retries(framework: Mapping[str, Any]) -> int | None:
    """Negative in the snapshot means without end, which is no number to show."""
    policy = _object(_object(framework, "spec"), "retryPolicy")
    most = _integer(policy.get("maxRetryCount"))
    return most if most is not None and most >= 0 else None


def _seconds(start: datetime | None, end: datetime | None) -> int | None:
    """Whole seconds, never negative: the database's clock and the cluster's differ a little."""
    if start is None or end is None:
        return None
    return max(0, int((end - start).total_seconds()))
