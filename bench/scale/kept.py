"""Databases of large data that are kept from run to run, because making them takes longer than measuring with them."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from bench import database
from bench.scale import SHARE

PREFIX = f"{database.NAME}_"
FREE_GB = 25
"""That much must be free before data of full size are made; what is kept in the end is about half of it."""

_ROOT = Path(__file__).parents[2]
_SHAPE = ("*/migrations/*.py", "notifications/**/*.sql")


def switch(name: str, recipe: str, fill: Callable[[], None]) -> None:
    """Switch to the database of this name, made by `fill` unless an earlier run has left one of the same recipe."""
    full, mark = PREFIX + name, _mark(recipe)
    if _mark_of(full) == mark:
        database.switch(full)
        return
    _check_room()
    database.create(full)
    fill()
    with database.server() as cursor:
        cursor.execute(f"COMMENT ON DATABASE {full} IS %s", [mark])


def forget() -> list[str]:
    """Drop all that is kept; returns the names."""
    with database.server() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY datname", [PREFIX]
        )
        names = [str(name) for (name,) in cursor.fetchall()]
        for name in names:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return names


def _mark(recipe: str) -> str:
    """Changes with what the data are made by: the recipe, our migrations, the cluster's table and the trigger."""
    files = sorted(path for pattern in _SHAPE for path in _ROOT.glob(pattern))
    text = recipe.encode() + b"".join(path.read_bytes() for path in files)
    return f"complete {hashlib.sha256(text).hexdigest()[:16]}"


def _mark_of(name: str) -> str:
    with database.server() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        )
        rows = cursor.fetchall()
    return (rows[0][0] or "") if rows else ""


def _check_room() -> None:
    needed, free = FREE_GB * SHARE, shutil.disk_usage(database.data()).free / 1e9
    if free < needed:
        sys.exit(
            f"making the data needs {needed:.0f} GB free, and there are {free:.0f}; "
            "`python -m bench --forget` frees what earlier runs have kept, BENCH_SHARE=0.1 makes a tenth"
        )
