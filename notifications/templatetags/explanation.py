from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from notifications.explanation import Explanation, explain
from notifications.sources.ingest import alertmanager

register = template.Library()


@register.filter
def explained(item: Mapping[str, Any]) -> Explanation:
    """Of a notification as REST shows it."""
    return explain(item["event"], item["details"])


@register.filter
def web_address(value: Any) -> str:
    """The address if a browser may follow it, else ''."""
    return alertmanager.web_address(value) if isinstance(value, str) else ""
