"""Whose a job or an alert is: the name has to be one that an account can have."""

from __future__ import annotations

import re
from functools import lru_cache

from notifications.sources.base import UndigestibleError

USERNAME = re.compile(r"[\w.-]+", re.ASCII)
MAX_USERNAME_CHARACTERS = 150


@lru_cache(maxsize=1024)
def valid_username(name: str | None) -> str:
    """The name; raises UndigestibleError for one that nobody can have."""
    if not name:
        raise UndigestibleError("There is no owner: the user name is empty.")
    if len(name) > MAX_USERNAME_CHARACTERS:
        raise UndigestibleError(f"The owner's name is longer than {MAX_USERNAME_CHARACTERS} characters.")
    if not USERNAME.fullmatch(name):
        raise UndigestibleError(
            f"{name[:100]!r} is no valid user name: only letters, digits, _ . and - may be in it."
        )
    return name
