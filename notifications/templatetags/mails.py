from __future__ import annotations

from unicodedata import east_asian_width

from django import template

register = template.Library()

WIDE = ("W", "F")


@register.filter
def column(label: str, cells: int) -> str:
    """Filled up with spaces to a width that is counted as a terminal does: a Chinese character takes two cells."""
    taken = sum(2 if east_asian_width(character) in WIDE else 1 for character in label)
    return label + " " * (cells - taken)
