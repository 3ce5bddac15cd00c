"""docs/security.md names tests; they are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_each_threat_has_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    table = page.split("## Threats")[1].split("\n## ")[0]
    threats = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(threats) > 20
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", sources))
    for threat in threats:
        named = re.findall(r"`(test_\w+)`", threat)
        assert named, f"no test: {threat}"
        assert set(named) <= there, threat
