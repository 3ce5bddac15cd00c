"""Whether those who once opened a socket may still read from it; asked for all sockets at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from notifications.listening import Listener

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Right:
    """What a socket was opened with. `session_key` is '' for a token, which needs an active user only."""

    user_id: int
    session_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    """The hash, as in the user's row: a new password ends all older sessions."""
    by_application: bool = False
    """With an application token, which the site may cease to accept."""


def ended(listener: Listener, rights: Iterable[Right]) -> set[Right]:
    """Those whose user is no longer active, whose session is over, or whose kind of token is no longer taken."""
    rights = list(rights)
    gone: set[Right] = set()
    if listener.query("SELECT FROM preferences_sitesettings WHERE NOT application_tokens"):
        gone.update(right for right in rights if right.by_application)
    for some in _chunks(rights):
        passwords = dict(
            listener.query(
                "SELECT id, password FROM auth_user WHERE id = ANY(%s) AND is_active",
                [[right.user_id for right in some]],
            )
        )
        rows = listener.query(
            "SELECT session_key FROM django_session WHERE session_key = ANY(%s) AND expire_date > now()",
            [[right.session_key for right in some if right.session_key]],
        )
        sessions = {key for (key,) in rows}
        gone.update(right for right in some if not _holds(right, passwords, sessions))
    return gone


def _holds(right: Right, passwords: dict[int, str], sessions: set[str]) -> bool:
    if right.user_id not in passwords:
        return False
    return not right.session_key or (
        right.session_key in sessions and right.password == passwords[right.user_id]
    )


def _chunks(rights: Iterable[Right]) -> Iterator[list[Right]]:
    rest = iter(rights)
    while some := list(islice(rest, CHUNK)):
        yield some
