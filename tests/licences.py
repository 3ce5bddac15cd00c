"""The licences of what is installed with the product: `docs/licences.md` is made from them, and none may be a surprise.

python -m tests.licences            writes docs/licences.md
python -m tests.licences --check    fails when it is out of date, or a licence is not among ALLOWED
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "licences.md"
PRODUCT = "notifcenter"

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "LGPL", "MIT", "MIT-0",
    "MPL-2.0", "PSF-2.0", "TCL", "ZPL-2.1",
}  # fmt: skip
"""All of them let an MIT product be installed beside them; MPL and LGPL as libraries that are not changed."""

SPELLINGS = {
    "Apache": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
SAYS_NOTHING = {"OSI Approved", "DFSG approved"}

HEAD = """# Licences

Notifcenter is MIT. What `pip install` brings with it, as the packages say themselves; `python -m tests.licences` makes
this list, and `make lint` fails at a licence that is new to it. Lit (BSD-3-Clause) and Inter (OFL-1.1) are inside the
product, each with its licence beside it.

| package | licence |
|---|---|
"""


def installed() -> dict[str, Distribution]:
    """The product's dependencies and theirs, by name; not what only its tests need."""
    found: dict[str, Distribution] = {}
    todo = list(_needs(PRODUCT, frozenset()))
    while todo:
        name, extras = todo.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found and not extras:
            continue
        try:
            found[key] = distribution(name)
        except PackageNotFoundError:  # for another system than this
            continue
        todo += [one for one in _needs(name, extras) if re.sub(r"[-_.]+", "-", one[0]).lower() not in found]
    return found


def _needs(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for text in distribution(name).requires or ():
        need = Requirement(text)
        if need.marker is None or any(need.marker.evaluate({"extra": one}) for one in (*extras, "")):
            yield need.name, frozenset(need.extras)


def licences(package: Distribution) -> list[str]:
    """What a package says of itself, each by its SPDX name where that is known."""
    about: Any = package.metadata
    said = about.get("License-Expression") or ""
    if said:
        names = re.split(r" (?:AND|OR) ", said.replace("(", "").replace(")", ""))
    else:
        names = [
            line.split(" :: ")[-1]
            for line in about.get_all("Classifier") or ()
            if line.startswith("License ::")
        ]
        names = [name for name in names if name not in SAYS_NOTHING] or re.split(
            r" (?:AND|OR) ", (about.get("License") or "?").splitlines()[0]
        )
    return sorted({SPELLINGS.get(name.strip(), name.strip().splitlines()[0]) for name in names})


def rows() -> list[str]:
    return [f"| {name} | {', '.join(licences(package))} |" for name, package in sorted(installed().items())]


def complaints() -> list[str]:
    """Not that a package is listed which this system does not need: another one may."""
    found = [
        f"{name}: {licence!r} is not among ALLOWED in tests/licences.py"
        for name, package in sorted(installed().items())
        for licence in licences(package)
        if licence not in ALLOWED
    ]
    listed = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    missing = [row for row in rows() if row not in listed]
    return [*found, *(f"docs/licences.md lacks {row!r}: python -m tests.licences" for row in missing)]


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit("\n".join(complaints()) or None)
    PAGE.write_text(HEAD + "\n".join(rows()) + "\n", encoding="utf-8")
