from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext, gettext_noop

from notifications.explanation import Explanation, explain
from notifications.sources.ingest import alertmanager

register = template.Library()

STATES = {
    "WAITING": gettext_noop("Waiting"),
    "RUNNING": gettext_noop("Running"),
    "STOPPING": gettext_noop("Stopping"),
    "SUCCEEDED": gettext_noop("Succeeded"),
    "FAILED": gettext_noop("Failed"),
    "STOPPED": gettext_noop("Stopped"),
    "UNKNOWN": gettext_noop("Unknown"),
}


@register.filter
def explained(item: Mapping[str, Any]) -> Explanation:
    """Of a notification as REST shows it."""
    return explain(item["event"], item["details"])


@register.filter
def web_address(value: Any) -> str:
    """The address if a browser may follow it, else ''."""
    return alertmanager.web_address(value) if isinstance(value, str) else ""


@register.filter
def state_word(state: str) -> str:
    """Of a job, as the cluster's REST server names it."""
    return gettext(STATES[state]) if state in STATES else state.lower().capitalize()
