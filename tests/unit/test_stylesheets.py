"""A brace that a merge has lost hides the rest of a sheet in one rule, and no browser says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

SHEETS = sorted(Path(settings.BASE_DIR, "static", "notifcenter").glob("*.css"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_what_begins_at_the_margin_is_inside_of_nothing(sheet: Path) -> None:
    depth = 0
    for number, line in enumerate(sheet.read_text().splitlines(), start=1):
        if line[:1] not in ("", " ", "}", "/", "*"):
            assert depth == 0, f"{sheet.name}:{number}: {line}"
        depth += line.count("{") - line.count("}")
    assert depth == 0
