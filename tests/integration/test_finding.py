"""Filters of the list by REST, and that no page looks at more than a bounded number of rows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications import finding
from notifications.models import Notification
from tests.clients import get, send
from tests.inbox import AS_NEW, LIST, START, ids, notify

pytestmark = pytest.mark.django_db


def test_folders_hold_what_belongs_there(browser: Client, alice: User) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    (fresh,) = notify(alice)
    (read,) = notify(alice, read_at=START, saved=True)
    (archived,) = notify(alice, archived_at=START, saved=True)
    (snoozed,) = notify(alice, snoozed_until=soon)
    assert ids(get(browser, LIST)) == [read, fresh]
    assert ids(get(browser, LIST, unread="true")) == [fresh]
    assert ids(get(browser, LIST, archived="true")) == [archived]
    assert ids(get(browser, LIST, saved="true")) == [archived, read]
    assert ids(get(browser, LIST, saved="true", archived="true")) == [archived]
    assert ids(get(browser, LIST, saved="true", unread="true")) == [archived]
    assert ids(get(browser, LIST, snoozed="true")) == [snoozed]
    assert ids(get(browser, LIST, snoozed="true", archived="true")) == []


def test_cluster_and_period_narrow(browser: Client, alice: User) -> None:
    made = notify(alice, 4)
    for days, one in enumerate(reversed(made)):
        Notification.objects.filter(pk=one).update(created_at=START - timedelta(days=days))
    Notification.objects.filter(pk=made[3]).update(virtual_cluster="gpu")
    assert ids(get(browser, LIST, virtual_cluster="gpu")) == [made[3]]
    assert ids(get(browser, LIST, virtual_cluster="gp")) == []
    since, until = (START - timedelta(days=2)).isoformat(), START.isoformat()
    assert ids(get(browser, LIST, since=since)) == made[:0:-1]
    assert ids(get(browser, LIST, since=since, until=until)) == [made[2], made[1]]
    assert ids(get(browser, LIST, up_to=made[1])) == [made[1], made[0]]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("since=yesterday", "since"), ("until=x", "until"), ("virtual_cluster=%00", "virtual_cluster"),
        ("saved=perhaps", "saved"), ("snoozed=2", "snoozed"), ("up_to=x", "up_to"), ("up_to=-1", "up_to"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(browser: Client, query: str, name: str) -> None:
    answer = browser.get(f"{LIST}?{query}")
    assert (answer.status_code, list(answer.json())) == (400, [name])


def pages(client: Client, **query: Any) -> list[list[int]]:
    found, page = [], get(client, LIST, **query)
    while True:
        found.append(ids(page))
        if not page["next"]:
            return found
        page = get(client, page["next"])


@pytest.fixture
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "WINDOW_ROWS", 5)


@pytest.mark.usefixtures("_narrow")
def test_a_search_goes_on_page_by_page_and_finds_everything_once(browser: Client, alice: User) -> None:
    rare = []
    for number in range(24):
        rare += notify(alice, job_name="rare" if number in (0, 7, 8, 9, 10, 23) else "common")
    wanted = [rare[number] for number in (23, 10, 9, 8, 7, 0)]
    found = pages(browser, q="rare", page_size=3)
    assert [one for page in found for one in page] == wanted
    assert [] in found
    assert max(map(len, found)) <= 3
    upward = pages(browser, q="rare", page_size=3, after=rare[0])
    assert [one for page in upward for one in page] == wanted[-2::-1]


@pytest.mark.usefixtures("_narrow")
def test_a_page_leads_back_to_the_one_before(browser: Client, alice: User) -> None:
    made = notify(alice, 9, job_name="x")
    first = get(browser, LIST, q="x", page_size=2)
    second = get(browser, first["next"])
    assert ids(get(browser, second["previous"])) == ids(first) == made[:-3:-1]
    assert first["previous"] is None
    assert ids(get(browser, get(browser, second["previous"])["next"])) == ids(second)


@pytest.mark.usefixtures("_narrow")
def test_beyond_the_period_nothing_is_looked_for(browser: Client, alice: User) -> None:
    made = notify(alice, 30)
    for place, one in enumerate(reversed(made)):
        Notification.objects.filter(pk=one).update(created_at=START - timedelta(days=place))
    found = pages(browser, since=(START - timedelta(days=7, hours=1)).isoformat())
    assert found == [made[:24:-1], made[24:21:-1]]


def test_one_is_saved_and_snoozed_and_taken_back(browser: Client, alice: User) -> None:
    (number,) = notify(alice)
    until = datetime.now(UTC) + timedelta(hours=1)
    one = send(
        browser, "PATCH", f"{LIST}{number}/", {"saved": True, "snoozed_until": until.isoformat()}
    ).json()
    assert one["saved"] is True
    assert datetime.fromisoformat(one["snoozed_until"]) == until
    assert ids(get(browser, LIST)) == []
    archived = send(browser, "PATCH", f"{LIST}{number}/", {"archived": True}).json()
    assert archived["snoozed_until"] is None
    back = send(browser, "PATCH", f"{LIST}{number}/", {"archived": False, "saved": False}).json()
    assert (back["saved"], back["archived_at"]) == (False, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"saved": 1}, "saved"),
        ({"snoozed_until": "2020-01-01T00:00:00Z"}, "snoozed_until"),
        ({"snoozed_until": "tomorrow"}, "snoozed_until"),
        ({"snoozed_until": (datetime.now(UTC) + timedelta(days=400)).isoformat()}, "snoozed_until"),
        (
            {"snoozed_until": (datetime.now(UTC) + timedelta(days=1)).isoformat(), "archived": True},
            "snoozed_until",
        ),
    ],
)
def test_what_one_cannot_become_is_named(browser: Client, alice: User, body: Any, field: str) -> None:
    (number,) = notify(alice)
    answer = send(browser, "PATCH", f"{LIST}{number}/", body)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_the_longest_names_fit_into_the_folders_indexes(browser: Client, alice: User) -> None:
    """Letters of four bytes each, which cannot be compressed away."""
    letters = [chr(0x20000 + place * 7) for place in range(256)]
    job, cluster, framework = "".join(letters), "".join(letters[::-1]), "".join(letters[:64])
    (number,) = notify(alice, job_name=job, virtual_cluster=cluster, framework_name=framework)
    assert ids(get(browser, LIST, virtual_cluster=cluster)) == [number]


_SAME_FOR_ANOTHER = """
INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
    virtual_cluster, details, occurred_at, in_inbox)
SELECT %s, event, ordinal, md5(framework_name || n), submission_time, job_name, virtual_cluster, details, occurred_at,
    in_inbox FROM notifications_notification, generate_series(1, 9) n
"""


def test_a_search_reads_the_index_alone(browser: Client, alice: User, bob: User) -> None:
    """However far apart the rows lie, and whatever is asked for."""
    with connection.cursor() as cursor:
        cursor.execute(AS_NEW)
        notify(alice, 3000)
        cursor.execute(_SAME_FOR_ANOTHER, [bob.pk])
        cursor.execute("ANALYZE notifications_notification")
    everything = finding.Filters(
        unread=True,
        saved=True,
        events=("alert",),
        virtual_cluster="gpu",
        job="x",
        text="y",
        since=START,
        until=START,
    )
    for one in (
        everything,
        replace(everything, saved=False),
        replace(everything, unread=False, saved=False),
        finding.Filters(archived=True, text="y"),
    ):
        with CaptureQueriesContext(connection) as queries, connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            finding.find(user_id=alice.pk, filters=one, size=30)
            cursor.execute(f"EXPLAIN {queries[-1]['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert re.search(r"Index Only Scan( Backward)? using folder_", plan), plan


def test_what_a_socket_has_missed_is_read_through_the_indexes_of_the_folders(alice: User, bob: User) -> None:
    """Not along everybody's ids, however old the last one is that it knows."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    notify(bob, 3000)
    first, *others = notify(alice, 2)
    others += [*notify(alice, archived_at=START), *notify(alice, snoozed_until=soon), *notify(alice)]
    notify(alice, in_inbox=False)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_notification")
    with CaptureQueriesContext(connection) as queries:
        assert [one.pk for one in finding.newer(user_id=alice.pk, after=first, size=9)] == others
    assert [one.pk for one in finding.newer(user_id=alice.pk, after=first, size=2)] == others[:2]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    indexes = set(re.findall(r"Index (?:Only )?Scan(?: Backward)? using (\w+)", plan))
    assert {"folder_open", "folder_archived", "folder_snoozed"} >= indexes - {"auth_user_pkey"}, plan
    assert "notifications_notification_pkey" not in plan
