"""One row of the cluster's users, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.people import Person, read_people
from preferences.kinds import Channel
from tests.rest_server import CHOICE, person

GOOD: list[tuple[Any, Person]] = [
    (person("alice"), Person("alice")),
    (person("a.b-c_9", "a@example.org", admin=True), Person("a.b-c_9", "a@example.org", True)),
    (
        person("alice", by_email=False, by_webportal=True),
        Person("alice", channels={Channel.EMAIL: False, Channel.WEBPORTAL: True}),
    ),
    (person("alice", by_email=False), Person("alice", channels={Channel.EMAIL: False})),
    ({"username": "alice"}, Person("alice")),
    ({"username": "alice", "email": None, "extension": None}, Person("alice")),
]


@pytest.mark.parametrize(("row", "expected"), GOOD)
def test_a_row_that_can_be_used(row: Any, expected: Person) -> None:
    assert read_people([row]) == ({expected.username: expected}, [])


SKIPPED: list[tuple[Any, str]] = [
    (None, "entry 2 names no user"),
    ("alice", "entry 2 names no user"),
    ({"email": "a@example.org"}, "entry 2 names no user"),
    ({"username": 7}, "entry 2 names no user"),
    (person(""), "'' is no user name"),
    (person("../admin"), "'../admin' is no user name"),
    (person("alice\n"), "'alice\\n' is no user name"),
    (person("älice"), "'\\xe4lice' is no user name"),
    (person("a\x00"), "is no user name"),
    (person("x" * 151), "is no user name"),
    (person("carol"), "carol is named twice"),
]


@pytest.mark.parametrize(("row", "problem"), SKIPPED)
def test_a_row_that_is_skipped_holds_up_nobody(row: Any, problem: str) -> None:
    people, problems = read_people([person("carol", "c@example.org"), row, person("dave")])
    assert people == {"carol": Person("carol", "c@example.org"), "dave": Person("dave")}
    assert len(problems) == 1
    assert problem in problems[0]
    assert problems[0].isprintable()
    assert len(problems[0]) < 200


@pytest.mark.parametrize(
    "address", ["a@example.org, b@example.org", "a@example.org;b@example.org", "alice", "a@b\r\nBcc: x@y.z",
                "a" * 250 + "@example.org", 7, ["a@example.org"], "<img src=x>@example.org", "a@example.org\x00"]
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_ignored_and_said(address: Any) -> None:
    people, problems = read_people([person("alice", address, by_email=False)])
    assert people["alice"] == Person("alice", None, channels={Channel.EMAIL: False})
    assert "alice: " in problems[0]
    assert "is not one mail address" in problems[0]
    assert problems[0].isprintable()


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (person("alice", admin="yes"), "`admin` must be true or false"),
        (person("alice", by_email="yes"), f"`{CHOICE}.email` must be true or false"),
        ({**person("alice"), "extension": {CHOICE: [True]}}, f"`{CHOICE}` must be an object"),
    ],
)
def test_a_wrong_type_says_nothing_and_is_said(row: Any, problem: str) -> None:
    people, problems = read_people([row])
    assert people == {"alice": Person("alice")}
    assert problem in problems[0]
