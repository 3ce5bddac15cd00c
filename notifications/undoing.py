"""What a client keeps to have something taken back: signed, so that nobody can make one up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core import signing

UNDO_AGE = timedelta(days=1)


class CannotUndoError(Exception):
    """The token is none of this user's for this, or too old."""


def token_of(user_id: int, *facts: Any, salt: str) -> str:
    """`facts` can be written as JSON; `salt` says what kind of thing they take back."""
    return signing.dumps([user_id, *facts], salt=salt, compress=True)


def facts_of(token: str, *, user_id: int, salt: str) -> list[Any]:
    """As they were given to `token_of`. Raises CannotUndoError."""
    facts: list[Any]
    try:
        owner, *facts = signing.loads(token, salt=salt, max_age=UNDO_AGE)
    except signing.BadSignature:
        raise CannotUndoError from None
    if owner != user_id:
        raise CannotUndoError
    return facts
