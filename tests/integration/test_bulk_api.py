"""Many notifications at once by REST: ids or a filter, in bounded parts, each taken back exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notifications import finding, marking, undoing
from notifications.models import Notification
from tests.clients import client_of, get, send
from tests.inbox import LIST, START, UNREAD, ids, notify

pytestmark = pytest.mark.django_db

BULK = "/api/v1/notifications/bulk/"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()


def bulk(client: Client, **body: Any) -> Any:
    answer = send(client, "POST", BULK, body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def states() -> list[tuple[Any, ...]]:
    rows = Notification.objects.order_by("id")
    return list(rows.values_list("id", "read_at", "archived_at", "saved", "snoozed_until"))


@pytest.fixture
def mixed(alice: User) -> list[int]:
    """One of each state."""
    made = notify(alice, 2)
    made += notify(alice, read_at=START)
    made += notify(alice, archived_at=START, read_at=START + timedelta(microseconds=7))
    made += notify(alice, saved=True)
    made += notify(alice, snoozed_until=datetime.now(UTC) + timedelta(hours=1))
    return made


@pytest.mark.parametrize(
    ("action", "changed", "where"),
    [
        ("read", 4, {"unread": "true"}),
        ("unread", 2, None),
        ("archive", 5, {}),
        ("unarchive", 1, {"archived": "true"}),
        ("save", 5, None),
        ("unsave", 1, {"saved": "true"}),
        ("unsnooze", 1, {"snoozed": "true"}),
    ],
)
def test_what_is_done_empties_the_folder_and_is_taken_back_exactly(
    browser: Client, mixed: list[int], action: str, changed: int, where: Any
) -> None:
    before = states()
    answer = bulk(browser, ids=mixed, action=action)
    assert answer["changed"] == changed
    assert answer["next"] is None
    if where is not None:
        assert ids(get(browser, LIST, **where)) == []
    assert {key: answer[key] for key in ("unread", "more")} == {
        key: value for key, value in get(browser, UNREAD).items() if key != "last_id"
    }
    assert states() != before
    undone = bulk(browser, undo=answer["undo"])
    assert (undone["changed"], undone["undo"]) == (changed, "")
    assert states() == before


def test_taking_back_leaves_alone_what_another_tab_has_done_since(browser: Client, alice: User) -> None:
    read, put_away, put_off = notify(alice, 3)
    done = bulk(browser, ids=[read, put_away, put_off], action="read")
    bulk(browser, ids=[put_away], action="archive")
    bulk(browser, ids=[put_off], action="snooze", until=TOMORROW)
    bulk(browser, undo=done["undo"])
    assert ids(get(browser, LIST)) == [read]
    assert ids(get(browser, LIST, archived="true")) == [put_away]
    assert ids(get(browser, LIST, snoozed="true")) == [put_off]
    assert not Notification.objects.filter(read_at__isnull=False).exists()


def test_what_is_put_back_lies_in_one_folder(browser: Client, alice: User) -> None:
    (one,) = notify(alice, archived_at=START)
    done = bulk(browser, ids=[one], action="unarchive")
    bulk(browser, ids=[one], action="snooze", until=TOMORROW)
    bulk(browser, undo=done["undo"])
    assert ids(get(browser, LIST, archived="true")) == [one]
    assert ids(get(browser, LIST, snoozed="true")) == []


def test_what_is_there_already_is_passed_over(browser: Client, mixed: list[int]) -> None:
    bulk(browser, ids=mixed, action="save")
    before = states()
    again = bulk(browser, ids=mixed, action="save")
    assert (again["changed"], again["undo"]) == (0, "")
    assert states() == before


def test_snoozed_ones_leave_the_inbox_and_the_count(browser: Client, mixed: list[int]) -> None:
    before = states()
    answer = bulk(browser, ids=mixed, action="snooze", until=TOMORROW)
    assert (answer["changed"], answer["unread"]) == (6, 0)
    assert ids(get(browser, LIST)) == ids(get(browser, LIST, archived="true")) == []
    assert ids(get(browser, LIST, snoozed="true")) == mixed[::-1]
    assert ids(get(browser, LIST, saved="true")) == [mixed[4]]
    bulk(browser, undo=answer["undo"])
    assert states() == before


def test_all_that_match_are_done_in_parts_from_the_newest(
    browser: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "BATCH_ROWS", 3)
    monkeypatch.setattr(finding, "WINDOW_ROWS", 5)
    wanted = []
    for _ in range(8):
        wanted += notify(alice, job_name="resnet")
        notify(alice, event="running")
    before, request = states(), {"filter": {"q": "RES", "event": ["failed"]}, "action": "archive"}
    answers = [bulk(browser, **request)]
    late = notify(alice, job_name="resnet")
    while answers[-1]["next"]:
        answers.append(bulk(browser, **request, cursor=answers[-1]["next"]))
    assert [answer["changed"] for answer in answers][:2] == [2, 3]
    assert ids(get(browser, LIST, archived="true", page_size=100)) == wanted[::-1]
    assert late[0] in ids(get(browser, LIST))
    for answer in answers:
        if answer["undo"]:
            bulk(browser, undo=answer["undo"])
    assert states()[:-1] == before


def test_up_to_spares_what_came_later(browser: Client, alice: User) -> None:
    made = notify(alice, 4)
    bulk(browser, filter={"unread": True, "up_to": made[2]}, action="read")
    assert ids(get(browser, LIST, unread="true")) == [made[3]]


def test_foreign_ones_are_neither_changed_nor_brought_back(browser: Client, alice: User, bob: User) -> None:
    foreign = notify(bob, 2)
    assert bulk(browser, ids=foreign, action="archive")["changed"] == 0
    assert bulk(browser, filter={}, action="archive")["changed"] == 0
    token = bulk(client_of(bob), ids=foreign, action="archive")["undo"]
    assert send(browser, "POST", BULK, {"undo": token}).status_code == 400
    assert Notification.objects.filter(archived_at=None).count() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ({"action": "read"}, "non_field_errors"),
        ({"ids": [1], "filter": {}, "action": "read"}, "non_field_errors"),
        ({"undo": "x", "action": "read"}, "non_field_errors"),
        ({"ids": [1]}, "action"),
        ({"ids": [1], "action": "delete"}, "action"),
        ({"ids": list(range(501)), "action": "read"}, "ids"),
        ({"ids": [1], "action": "snooze"}, "until"),
        ({"ids": [1], "action": "snooze", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"ids": [1], "action": "snooze", "until": "9999-12-31T23:59:59Z"}, "until"),
        ({"ids": [1], "action": "read", "until": TOMORROW}, "until"),
        ({"ids": [1], "action": "unmute", "until": TOMORROW}, "until"),
        ({"ids": [1], "action": "mute", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"ids": [1], "action": "read", "cursor": "1"}, "cursor"),
        ({"filter": {}, "action": "read", "cursor": "x"}, "cursor"),
        ({"filter": {}, "action": "read", "cursor": "9" * 19}, "cursor"),
        ({"filter": {"unread": "yes"}, "action": "read"}, "filter"),
        ({"filter": {"evnt": ["failed"]}, "action": "read"}, "filter"),
        ({"filter": {"event": ["exploded"]}, "action": "read"}, "filter"),
        ({"undo": "made up"}, "undo"),
        ({"undo": "x" * 200_001}, "undo"),
        ([], "non_field_errors"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_by_name(browser: Client, alice: User, body: Any, field: str) -> None:
    notify(alice)
    answer = send(browser, "POST", BULK, body)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert Notification.objects.get().read_at is None


def test_an_undo_that_is_too_old_is_refused(
    browser: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = bulk(browser, ids=notify(alice), action="archive")["undo"]
    monkeypatch.setattr(undoing, "UNDO_AGE", timedelta(0))
    assert send(browser, "POST", BULK, {"undo": token}).status_code == 400
    assert Notification.objects.get().archived_at is not None


def test_a_full_batch_can_be_taken_back_whatever_its_states(browser: Client, alice: User) -> None:
    """The largest token that is ever given out is one that is taken."""
    made = notify(alice, marking.BATCH_ROWS)
    for place, one in enumerate(made):
        Notification.objects.filter(pk=one).update(read_at=START + timedelta(microseconds=place * 7919))
    before = states()
    answer = bulk(browser, filter={}, action="unread")
    assert answer["changed"] == marking.BATCH_ROWS
    bulk(browser, undo=answer["undo"])
    assert states() == before
