"""Django's sessions in the database, whose keys are looked up only if they can be ones of ours."""

from __future__ import annotations

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        """A cookie can hold any character, a NUL too, and PostgreSQL takes no NUL."""
        return key is not None and len(key) >= 8 and key.isascii() and key.isalnum()
