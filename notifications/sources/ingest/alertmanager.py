"""Reads what Alertmanager's webhook posts (payload version 4). Pure.

The shape: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Alertmanager posts a group again
whenever it changes, with alerts that it has posted before, and drops what is answered with 4xx: so each alert is
judged for itself, and those that cannot be used are reported instead of spoiling the rest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from notifications.openpai_alerts import ALERT_NAME
from notifications.sources.frameworks.models import plain_job_name
from notifications.sources.ingest.line import New
from notifications.sources.ingest.models import Kind
from notifications.wording import one_line

VERSION = "4"
MAX_ALERTS = 2000
MAX_TEXT_CHARACTERS = 1000
MAX_LABEL_CHARACTERS = 256
MAX_LABELS_SHOWN = 30
MAX_URL_CHARACTERS = 2000
MAX_CLOCK_SKEW = timedelta(hours=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Go's zero time (year 1) means that there is none, and has no local time in half of the world."""

_FINGERPRINT = re.compile(r"[0-9A-Za-z]{1,40}")


class BadPayloadError(Exception):
    """The body is not what Alertmanager's webhook posts; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An alert that is not passed on, and why."""

    fingerprint: str
    alertname: str
    reason: str


@dataclass(slots=True)
class Reading:
    """`new`: what is to be stored, in the order of the payload; `truncated`: how many Alertmanager has left out."""

    new: list[New] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    truncated: int = 0


class _UnusableError(Exception):
    """This alert cannot be used; the message says why."""


def read(body: Any, *, now: datetime, take_ownerless: bool) -> Reading:
    """Raises BadPayloadError. With `take_ownerless`, alerts without a user are for the administrators."""
    if not isinstance(body, Mapping):
        raise BadPayloadError("The body must be a JSON object, as Alertmanager's webhook posts it.")
    if body.get("version") != VERSION:
        raise BadPayloadError(
            f'`version` must be "{VERSION}", the version of Alertmanager\'s webhook payload.'
        )
    alerts = body.get("alerts")
    if not isinstance(alerts, list):
        raise BadPayloadError("`alerts` must be a list.")
    reading = Reading(truncated=_count(body.get("truncatedAlerts")))
    for number, alert in enumerate(alerts):
        labels = _texts(alert, "labels")
        try:
            if number >= MAX_ALERTS:
                raise _UnusableError(
                    f"More than {MAX_ALERTS} alerts in one request: set `max_alerts` or group them."
                )
            reading.new.append(_read_one(alert, labels, now, take_ownerless))
        except _UnusableError as why:
            fingerprint = alert.get("fingerprint") if isinstance(alert, Mapping) else ""
            shown = _cut(fingerprint if isinstance(fingerprint, str) else "", MAX_LABEL_CHARACTERS)
            reading.ignored.append(Ignored(shown, labels.get("alertname", ""), str(why)))
    return reading


def _read_one(alert: Any, labels: dict[str, str], now: datetime, take_ownerless: bool) -> New:
    if not isinstance(alert, Mapping):
        raise _UnusableError("An alert must be a JSON object.")
    fingerprint, status = alert.get("fingerprint", _fingerprint(alert)), alert.get("status")
    if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
        raise _UnusableError("`fingerprint` must be letters and digits.")
    if status not in ("firing", "resolved"):
        raise _UnusableError("`status` must be firing or resolved.")
    if labels.get("alertname") == ALERT_NAME:  # the original's or our own: told from the job's row itself
        raise _UnusableError(f"{ALERT_NAME} is told from the cluster's database already.")
    starts_at = _time(alert, "startsAt")
    if starts_at > now + MAX_CLOCK_SKEW:
        raise _UnusableError("`startsAt` is in the future.")
    if starts_at < EARLIEST:
        raise _UnusableError(f"`startsAt` is before {EARLIEST.year}.")
    username = labels.get("username", "")
    if not username and not take_ownerless:
        raise _UnusableError(
            "It has no label `username`, and the site's settings do not send such to admins."
        )
    key = f"{fingerprint}:{starts_at.isoformat()}"
    same = {"fingerprint": fingerprint, "starts_at": starts_at.isoformat()}
    if status == "resolved":
        resolved = {**same, "resolved_at": max(starts_at, min(_time(alert, "endsAt"), now)).isoformat()}
        return New(f"resolved:{key}", Kind.RESOLVED, username, resolved)
    firing = {
        **same,
        "job_name": plain_job_name(labels.get("job_name"), username, ""),
        "virtual_cluster": labels.get("virtual_cluster", ""),
        "details": _details(alert, labels),
    }
    return New(f"alert:{key}", Kind.ALERT, username, firing)


def _fingerprint(alert: Mapping[str, Any]) -> str:
    """Tells alerts apart by their labels, as Alertmanager does, which sends its own since 0.19. OpenPAI has 0.15."""
    return hashlib.sha256(json.dumps(alert.get("labels"), sort_keys=True).encode()).hexdigest()[:16]


def _details(alert: Mapping[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    """What the notification shows; without what is empty."""
    annotations = _texts(alert, "annotations", MAX_TEXT_CHARACTERS)
    known = {
        "alertname": labels.get("alertname"),
        "severity": labels.get("severity"),
        "summary": annotations.get("summary"),
        "reason": annotations.get("description") or annotations.get("message"),
        "runbook_url": web_address(annotations.get("runbook_url")),
        "labels": _shown(labels),
    }
    return {name: value for name, value in known.items() if value}


def _shown(labels: dict[str, str]) -> dict[str, str]:
    """Those that a notification keeps; its name and severity in any case."""
    first = {name: labels[name] for name in ("alertname", "severity") if name in labels}
    rest = [(name, value) for name, value in labels.items() if name not in ("username", "job_name")]
    return dict([*first.items(), *rest][:MAX_LABELS_SHOWN])


def web_address(text: str | None) -> str:
    """The address if a browser may follow it, else ''."""
    try:
        parts = urlsplit(text or "")
        fits = parts.scheme in ("http", "https") and parts.hostname and len(text or "") <= MAX_URL_CHARACTERS
    except ValueError:
        return ""
    return text if text and fits and text.isprintable() and " " not in text else ""


def _texts(alert: Any, name: str, limit: int = MAX_LABEL_CHARACTERS) -> dict[str, str]:
    """Labels or annotations, cleaned and cut; those that are not text are left out."""
    found = alert.get(name) if isinstance(alert, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    texts = [(key, value) for key, value in found.items() if isinstance(value, str)]
    return {_cut(key, MAX_LABEL_CHARACTERS): _cut(value, limit) for key, value in texts}


def _cut(text: str, limit: int) -> str:
    return one_line(text[: 2 * limit])[:limit]


def _time(alert: Mapping[str, Any], name: str) -> datetime:
    """A time of RFC 3339; what is finer than a microsecond is dropped."""
    value = alert.get(name)
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is not None and time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _UnusableError(f"`{name}` must be a time such as 2026-11-22T09:00:00Z.")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
