"""What browsers get of our own modules and sheets: bundled, compact and compressed, made once when a process starts."""

from __future__ import annotations

import gzip
import os
import re
import threading
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import brotli
from whitenoise.middleware import WhiteNoiseMiddleware

from notifcenter.bundles import Bundles

OURS = "/notifcenter/"
SUFFIXES = (".js", ".css", ".json", ".svg")
_COMMENT_LINES = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'^@import "([^"]+)";\n', re.MULTILINE)
_INDENTATION = re.compile(r"^\s+", re.MULTILINE)


class AssetsMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
    """Serves static files. With DEBUG they come as they lie there."""

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: Any = None) -> None:
        if OURS in url and Path(path).suffix in SUFFIXES:
            source = Path(path)
            with _one_thread:
                path, stat_cache = str(prepared(url, source, source.stat().st_mtime)), None
        super().add_file_to_dictionary(url, path, stat_cache)


_one_thread = threading.Lock()


@cache
def _folder() -> TemporaryDirectory[str]:
    """Of this process, and gone with it."""
    return TemporaryDirectory(prefix="notifcenter-static-")


@cache
def prepared(url: str, source: Path, modified_at: float) -> Path:
    """A copy with its compressed variants beside it; WhiteNoise chooses.

    All processes give it the time of its newest source, so that its ETag is the same in each of them.
    """
    copy = Path(_folder().name, url.lstrip("/"))
    copy.parent.mkdir(parents=True, exist_ok=True)
    text, parts = _text(source, url.rpartition(OURS)[2])
    content = compact(text).encode()
    modified_at = max(modified_at, *(part.stat().st_mtime for part in parts))
    for suffix, variant in {
        "": content,
        ".gz": gzip.compress(content),
        ".br": brotli.compress(content),
    }.items():
        path = copy.with_name(copy.name + suffix)
        path.write_bytes(variant)
        os.utime(path, (modified_at, modified_at))
    return copy


def _text(source: Path, name: str) -> tuple[str, list[Path]]:
    """What is sent for it, and the files of which that is made."""
    if source.suffix == ".js":
        bundles = _bundles(source.parents[name.count("/")])
        if parts := bundles.sources(name):
            return bundles.text(name), parts
    text = source.read_text(encoding="utf-8")
    if source.suffix != ".css":
        return text, [source]
    sheets = [source.with_name(one) for one in _IMPORT.findall(text)]
    return _IMPORT.sub(lambda found: source.with_name(found[1]).read_text(encoding="utf-8"), text), [
        source,
        *sheets,
    ]


@cache
def _bundles(folder: Path) -> Bundles:
    return Bundles(folder)


def compact(source: str) -> str:
    """A script or a sheet without indentation, empty lines, and the comments that have lines of their own.

    Those with a licence (`/*!`) stay.
    """
    lines = _COMMENT_LINES.sub(lambda found: found[0] if found[0].lstrip().startswith("/*!") else "", source)
    return _INDENTATION.sub("", lines)
