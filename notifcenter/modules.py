"""Which modules a page will need, said in its head: a browser then fetches them side by side, not one after another."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from notifcenter.settings import BASE_DIR

STATIC = BASE_DIR / "static"
_IMPORT = re.compile(r'^(?:import|export) [^;]*?from "(\./[^"]+)";', re.MULTILINE)


@cache
def modules_of(*entries: str) -> tuple[str, ...]:
    """These modules and all that they import statically, by their paths below `static`."""
    found: dict[Path, None] = {}
    todo = [STATIC / entry for entry in entries]
    while todo:
        module = todo.pop()
        if module not in found:
            found[module] = None
            imports = _IMPORT.findall(module.read_text(encoding="utf-8"))
            todo += [(module.parent / name).resolve() for name in imports]
    return tuple(str(module.relative_to(STATIC)) for module in found)
