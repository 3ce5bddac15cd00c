from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from notifications.explanation import Explanation, explain

register = template.Library()


@register.filter
def explained(item: Mapping[str, Any]) -> Explanation:
    """Of a notification as REST shows it."""
    return explain(item["event"], item["details"])
