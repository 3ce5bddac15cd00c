"""Waiting for files, in processes that may have very many of them."""

from __future__ import annotations

import select
from collections.abc import Sequence


def wait_readable(files: Sequence[int], seconds: float) -> None:
    """Wait until one of the files can be read, or has failed. Not select(): it takes no number above 1023."""
    waiting = select.poll()
    for file in files:
        waiting.register(file, select.POLLIN)
    waiting.poll(max(0.0, seconds) * 1000)
