"""What a page downloads before the bell works, Lit included."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from notifcenter.settings import BASE_DIR

STATIC = BASE_DIR / "static" / "notifcenter"
BUDGET_BYTES = 25_000
IMPORT = re.compile(r'^(?:import|export) .*?from "(\./[^"]+)";', re.MULTILINE | re.DOTALL)


def modules_of(entry: Path) -> set[Path]:
    """The module and all that it imports statically."""
    found, todo = set(), [entry]
    while todo:
        module = todo.pop()
        if module not in found:
            found.add(module)
            todo += [
                (module.parent / name).resolve()
                for name in IMPORT.findall(module.read_text(encoding="utf-8"))
            ]
    return found


def test_the_bell_stays_within_its_budget() -> None:
    modules = modules_of(STATIC / "define.js")
    assert {"notif-bell.js", "store.js", "socket.js", "lit.js"} <= {module.name for module in modules}
    files = [*modules, STATIC / "tokens.css", STATIC / "icons.css"]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= BUDGET_BYTES
