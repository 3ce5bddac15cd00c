"""Programs of Debian that a test needs and a machine may lack."""

from __future__ import annotations

import shutil

import pytest

PACKAGES = {
    "caddy": "caddy",
    "nginx": "nginx-light",
    "pg_dump": "postgresql-client",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "systemd-analyze": "systemd",
}


def needs(program: str) -> pytest.MarkDecorator:
    """Skips a test where the program is not installed."""
    return pytest.mark.skipif(
        shutil.which(program) is None,
        reason=f"{program} is not installed; it is in Debian's package {PACKAGES[program]}",
    )
