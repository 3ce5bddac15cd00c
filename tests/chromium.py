"""The system's Chromium, or the one that Playwright has brought."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "google-chrome", "chromium-browser")
WITHOUT_WINDOWS = "chromium-headless-shell"
"""Debian's package of this name: the same engine for a third of the work. It has no notifications, and puts no page
away to bring it back as it was."""
IN_ONE_PROCESS = ("--in-process-gpu", "--enable-features=NetworkServiceInProcess2")
"""What pages ask of the browser goes through fewer processes: a fifteenth less work."""


def launch(playwright: Playwright, *, whole: bool) -> Browser:
    """Pages that are put away may come back as they were, as for people."""
    names = NAMES if whole else (WITHOUT_WINDOWS, *NAMES)
    return playwright.chromium.launch(
        executable_path=next((found for name in names if (found := shutil.which(name))), None),
        args=[*(["--no-sandbox"] if os.geteuid() == 0 else []), *([] if whole else IN_ONE_PROCESS)],
        ignore_default_args=["--disable-back-forward-cache"],
    )


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright, whole=True)
        yield browser
        browser.close()
