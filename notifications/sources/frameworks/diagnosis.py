"""Why and how a job ended, from the snapshot of its Framework object and, without one, from its columns.

The snapshot holds what users put into it, and may be missing, broken or huge: nothing here raises, every text
is cleaned and cut, and what cannot be read is left out. Shape: `status` of frameworkcontroller's Framework.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from notifications.cleaning import clean, clean_end, clean_ends
from notifications.sources.frameworks import exit_codes
from notifications.sources.frameworks.exit_spec import NO_SPEC, ExitSpec

MAX_SNAPSHOT_CHARACTERS = 4 * 1024 * 1024
MAX_DIAGNOSTICS_BYTES = 4 * 1024
MAX_OUTPUT_BYTES = 2 * 1024
MAX_PHRASE_BYTES = 100
MAX_TASK_ROLE_BYTES = 100
MAX_IMAGE_BYTES = 300
MAX_INTEGER = 2**31 - 1

NEVER_CREATED = -1100
"""The cluster's synthetic failure: all its times are equal, runTime too, and nothing ever ran."""

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
    "failed: …"), reason, causer ("user", "platform" or "resources"), solutions, task ("worker[3]", the one that
    brought the job down), image (where it is to blame), output (the end of what that task's container said),
    diagnostics (the controller's free text), attempt (1 for the first), max_attempts, retries, max_retries,
    waited_seconds (until it ran first), ran_seconds (since then, retries included), last_ran_seconds (the last of
    several attempts), never_ran (True), gpus.
    """

    ran_at: datetime | None
    ended_at: datetime | None
    details: dict[str, Any]


def diagnose(snapshot: str | None, facts: RowFacts, spec: ExitSpec = NO_SPEC) -> Diagnosis:
    """The job as it stands now."""
    framework = _parsed(snapshot)
    status = _object(framework, "status")
    attempt = _object(status, "attemptStatus")

    code = _integer(_object(attempt, "completionStatus").get("code"))
    if code is None:
        code = facts.exit_code
    ended_at = facts.completion_time or _time(status.get("completionTime"))
    ran_at = _ran_at(status, attempt, facts, code)
    told_when = "runTime" in status or "runTime" in attempt or code == NEVER_CREATED

    details = {
        **_ending(code, framework, attempt, spec, exit_codes.AGAIN),
        **_attempts(framework, facts),
        "waited_seconds": _seconds(facts.submission_time, ran_at or ended_at),
        "ran_seconds": _seconds(ran_at, ended_at),
        "never_ran": True if told_when and ended_at and code and ran_at is None else None,
        "last_ran_seconds": _seconds(_time(attempt.get("runTime")), ended_at) if facts.retries else None,
    }
    return Diagnosis(ran_at, ended_at, _known(details))


def diagnose_retry(
    ended: str | None,
    now: Mapping[str, Any],
    *,
    number: int,
    retries: int,
    submission_time: datetime,
    spec: ExitSpec = NO_SPEC,
) -> dict[str, Any]:
    """The details of attempt `number` (1 for the first), which has ended in a retry: keys as in a Diagnosis.

    `ended` is its `attemptStatus` as JSON. The snapshot speaks of a later attempt already, so that of `now`, the
    job's details as it stands, only the limits and what was asked for apply.
    """
    attempt = _parsed(ended)
    code = _integer(_object(attempt, "completionStatus").get("code"))
    ran_at, ended_at = _time(attempt.get("runTime")), _time(attempt.get("completionTime"))
    began_at = submission_time if number == 1 else _time(attempt.get("startTime"))
    details = {
        **{key: now.get(key) for key in ("max_retries", "max_attempts", "gpus")},
        **_ending(code, _NOTHING, attempt, spec, exit_codes.RETRIED),
        "attempt": number,
        "retries": retries,
        "waited_seconds": _seconds(began_at, ran_at or ended_at),
        "ran_seconds": _seconds(ran_at, ended_at),
        "never_ran": True if code and "runTime" in attempt and ran_at is None else None,
    }
    return _known(details)


def never_ran(ended: str | None) -> bool:
    """Whether an attempt, given as in `diagnose_retry`, is known to have come to its end without running."""
    attempt = _parsed(ended)
    return bool(attempt.get("completionTime")) and "runTime" in attempt and attempt["runTime"] is None


def _known(details: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in details.items() if value is not None}


def _parsed(text: str | None) -> Mapping[str, Any]:
    if not text or len(text) > MAX_SNAPSHOT_CHARACTERS:
        return _NOTHING
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return _NOTHING
    return found if isinstance(found, dict) else _NOTHING


def _object(parent: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """What the path leads to, if that is an object; else an empty one."""
    value: Any = parent
    for key in path:
        value = value.get(key)
        if not isinstance(value, dict):
            return _NOTHING
    return value  # type: ignore[no-any-return]


def _objects(parent: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = parent.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _integer(value: Any) -> int | None:
    if type(value) is int and -MAX_INTEGER <= value <= MAX_INTEGER:
        return value
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


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


def _ending(
    code: int | None, framework: Mapping[str, Any], attempt: Mapping[str, Any], spec: ExitSpec, again: str
) -> dict[str, Any]:
    """`again` is what our advice says where trying again may help."""
    if code is None:
        return {}
    completion = _object(attempt, "completionStatus")
    phrase = clean(_text(completion.get("phrase")), MAX_PHRASE_BYTES)
    known = spec.explain(code, phrase)
    ending: dict[str, Any] = {"exit_code": code, "phrase": phrase or (known.phrase if known else None)}
    if code == 0:
        return ending
    if known:
        ending["why"] = known.why
        ending["reason"] = known.reason or None
        ending["causer"] = known.causer.value if known.causer else None
        advice = [again if line == exit_codes.RETRY else line for line in known.solutions]
        ending["solutions"] = advice or None
    else:
        ending["why"] = exit_codes.words(phrase) or f"exit code {code}"
    trigger = _object(completion, "trigger")
    ending["task"] = _task(trigger)
    if known and known.phrase == exit_codes.IMAGE_MISSING:
        ending["image"] = _image(framework, trigger) or None
    ending["output"] = clean_end(_output(attempt, trigger), MAX_OUTPUT_BYTES).strip("\n") or None
    ending["diagnostics"] = clean_ends(_text(completion.get("diagnostics")), MAX_DIAGNOSTICS_BYTES) or None
    return ending


def _task(trigger: Mapping[str, Any]) -> str | None:
    role, index = _text(trigger.get("taskRoleName")), _integer(trigger.get("taskIndex"))
    if not role:
        return None
    role = clean(role, MAX_TASK_ROLE_BYTES)
    return role if index is None else f"{role}[{index}]"


def _image(framework: Mapping[str, Any], trigger: Mapping[str, Any]) -> str:
    """Of the role that brought the job down, which may be the only one."""
    roles = _objects(_object(framework, "spec"), "taskRoles")
    for role in roles:
        if len(roles) == 1 or role.get("name") == trigger.get("taskRoleName"):
            for container in _objects(_object(role, "task", "pod", "spec"), "containers"):
                return clean(_text(container.get("image")), MAX_IMAGE_BYTES)
    return ""


def _output(attempt: Mapping[str, Any], trigger: Mapping[str, Any]) -> str:
    """What the task that brought the job down said last; without such a task, the only one."""
    roles = _objects(attempt, "taskRoleStatuses")
    tasks = [(role.get("name"), task) for role in roles for task in _objects(role, "taskStatuses")]
    for name, task in tasks:
        is_it = (name, task.get("index")) == (trigger.get("taskRoleName"), trigger.get("taskIndex"))
        if is_it or (len(tasks) == 1 and not trigger):
            pod = _object(task, "attemptStatus", "completionStatus", "pod")
            failed = [one for one in _objects(pod, "containers") if one.get("code") != 0]
            return next(filter(None, (_text(one.get("message")) for one in [*failed, pod])), "")
    return ""


def _attempts(framework: Mapping[str, Any], facts: RowFacts) -> dict[str, Any]:
    """How often the job was tried, and how often it may be as far as is known now.

    The policy counts only some retries ("accountable" ones): those that the platform is to blame for come on top.
    Negative in the policy means without end, which is no number to show.
    """
    done = _object(framework, "status", "retryPolicyStatus")
    total, counted = _integer(done.get("totalRetriedCount")), _integer(done.get("accountableRetriedCount"))
    most = _integer(_object(framework, "spec", "retryPolicy").get("maxRetryCount"))
    most = most if most is not None and most >= 0 else None
    on_top = max(0, total - counted) if total is not None and counted is not None else 0
    attempt = None if facts.retries is None else facts.retries + 1
    max_attempts = None if most is None else most + 1 + on_top
    return {
        "attempt": attempt,
        "max_attempts": max_attempts if max_attempts and max_attempts >= (attempt or 0) else None,
        "retries": facts.retries,
        "max_retries": most,
        "gpus": facts.gpus,
    }


def _seconds(start: datetime | None, end: datetime | None) -> int | None:
    """Whole seconds, never negative: the database's clock and the cluster's differ a little."""
    if start is None or end is None:
        return None
    return max(0, int((end - start).total_seconds()))
