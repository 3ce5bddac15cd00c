"""The packages from npm that some tests need, kept in the virtual environment: `python -m tests.node_packages`.

Stands alone, because `make setup` runs it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

WANTED = Path(__file__).with_name("package.json")
FOLDER = Path(sys.prefix) / "npm"
MODULES = FOLDER / "node_modules"
INSTALL_SECONDS = 100


def why_not() -> str:
    """Install what is missing. '' when all is there, else why not."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    packages = FOLDER / "package.json"
    finished = MODULES / ".package-lock.json"  # npm writes it last
    if finished.exists() and packages.exists() and packages.read_bytes() == WANTED.read_bytes():
        return ""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    shutil.copy(WANTED, packages)
    command = [
        "npm",
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--loglevel=error",
    ]
    try:
        subprocess.run(
            command, cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=True
        )
    except subprocess.SubprocessError as error:
        said = (getattr(error, "stderr", None) or str(error)).strip()
        return f"npm could not install the packages: {said.splitlines()[0]}"
    return ""


if __name__ == "__main__" and (reason := why_not()):
    sys.stderr.write(f"The tests with Sequelize and PostgreSQL 12 will be skipped: {reason}\n")
