"""One user as the cluster's REST server tells of them, read without trust.

Source of the shape: OpenPAI's `GET /api/v2/users`: `{"username", "email", "admin", "grouplist", "virtualCluster",
"extension": {"getJobStatusChangeNotificationBy": {"email": bool, "webportal": bool}, …}}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from preferences.kinds import Channel

USERNAME = re.compile(r"[\w.-]{1,150}", re.ASCII)
"""OpenPAI's own rule, cut down to what a user's row can hold."""

MAX_ADDRESS = 254
MAX_SHOWN = 60
CHOICE = "getJobStatusChangeNotificationBy"
CHANNELS = (Channel.EMAIL, Channel.WEBPORTAL)


@dataclass(frozen=True, slots=True)
class Person:
    """`address` is '' when the cluster knows none, None when it knows one that cannot be used.

    `channels` holds only what the person has chosen there.
    """

    username: str
    address: str | None = ""
    is_admin: bool = False
    channels: Mapping[Channel, bool] = field(default_factory=dict)


def read_people(rows: Iterable[object]) -> tuple[dict[str, Person], list[str]]:
    """The users by name, and in words what of the answer could not be used."""
    people: dict[str, Person] = {}
    problems: list[str] = []
    for number, row in enumerate(rows, 1):
        username = row.get("username") if isinstance(row, Mapping) else None
        if not isinstance(row, Mapping) or not isinstance(username, str):
            problems.append(f"entry {number} names no user; skipped")
        elif not USERNAME.fullmatch(username):
            problems.append(
                f"{_shown(username)} is no user name (letters, digits, . _ -, at most 150); skipped"
            )
        elif username in people:
            problems.append(f"{username} is named twice; only the first counts")
        else:
            people[username] = _person(username, row, problems)
    return people, problems


def _person(username: str, row: Mapping[object, object], problems: list[str]) -> Person:
    def complain(what: str) -> None:
        problems.append(f"{username}: {what}; ignored")

    admin = row.get("admin", False)
    if not isinstance(admin, bool):
        complain("`admin` must be true or false")
    return Person(
        username,
        _address(row.get("email"), complain),
        admin is True,
        _channels(row.get("extension"), complain),
    )


def _address(value: object, complain: Callable[[str], None]) -> str | None:
    if value is None or value == "":
        return ""
    try:
        if not isinstance(value, str) or len(value) > MAX_ADDRESS:
            raise ValidationError("")
        validate_email(value)
    except ValidationError:
        complain(f"{_shown(value)} is not one mail address")
        return None
    return value


def _channels(extension: object, complain: Callable[[str], None]) -> dict[Channel, bool]:
    choice = extension.get(CHOICE) if isinstance(extension, Mapping) else None
    if choice is None:
        return {}
    if not isinstance(choice, Mapping):
        complain(f"`{CHOICE}` must be an object")
        return {}
    chosen: dict[Channel, bool] = {}
    for channel in CHANNELS:
        on = choice.get(channel.value)
        if isinstance(on, bool):
            chosen[channel] = on
        elif on is not None:
            complain(f"`{CHOICE}.{channel.value}` must be true or false")
    return chosen


def _shown(value: object) -> str:
    """Something that came from outside, as it may stand in a line: bounded, and printable ASCII."""
    text = ascii(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
