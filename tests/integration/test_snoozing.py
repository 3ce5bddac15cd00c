"""What was put off comes back unread at its time, by the poller, and open pages hear of it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from notifications import finding, inbox, snoozing
from notifications.listening import LIVE_CHANNEL, Listener
from notifications.models import Notification
from notifications.poller import Poller
from notifications.stopping import Stop
from tests.clients import get
from tests.database import second_session, sql
from tests.inbox import LIST, START, ids, notify

NOW = datetime.now(UTC)
DUE = NOW - timedelta(minutes=1)
LATER = NOW + timedelta(days=1)


@pytest.mark.django_db(transaction=True)
def test_the_poller_brings_back_what_is_due_and_tells_its_users(alice: User, bob: User) -> None:
    due = notify(alice, snoozed_until=DUE, read_at=START) + notify(bob, 2, snoozed_until=DUE)
    later = notify(alice, snoozed_until=LATER, read_at=START)
    assert inbox.count_unread(alice.pk).unread == 0
    with closing(Listener(LIVE_CHANNEL)) as listener:
        Poller().run(Stop(), once=True)
        listener.wait(10)
        assert set(listener.drain()) >= {str(alice.pk), str(bob.pk)}
    woken = Notification.objects.filter(pk__in=due)
    assert list(woken.values_list("snoozed_until", "read_at")) == [(None, None)] * 3
    assert Notification.objects.get(pk=later[0]).snoozed_until == LATER
    assert inbox.count_unread(alice.pk).unread == 1
    assert inbox.count_unread(bob.pk).unread == 2


@pytest.mark.django_db
def test_what_comes_back_is_at_the_head_of_the_inbox_until_it_is_read(browser: Client, alice: User) -> None:
    ids = notify(alice, 40)
    old, older = ids[3], ids[1]
    for pk in (old, older):
        Notification.objects.filter(pk=pk).update(snoozed_until=DUE, read_at=START)
        assert snoozing.wake_due() == 1
        Notification.objects.filter(pk=pk).update(returned_at=NOW + timedelta(seconds=pk % 2 + ids.index(pk)))
    rest = [pk for pk in reversed(ids) if pk not in (old, older)]

    def shown(address: str) -> list[int]:
        return [one["id"] for one in browser.get(address).json()["results"]]

    for folder in ("", "&unread=true"):
        assert shown(f"{LIST}?page_size=5{folder}") == [old, older, *rest[:5]]
    assert shown(f"{LIST}?page_size=5&q=job")[0] != old
    page = browser.get("/").content.decode()
    assert (
        page.index(f'data-id="{old}"') < page.index(f'data-id="{older}"') < page.index(f'data-id="{rest[0]}"')
    )
    inbox.mark_read(user_id=alice.pk, ids=[old])
    assert shown(f"{LIST}?page_size=5") == [older, *rest[:5]]
    assert shown(f"{LIST}?page_size=100") == [older, *(pk for pk in reversed(ids) if pk != older)]


@pytest.mark.django_db
def test_many_come_back_in_bounded_batches(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snoozing, "MAX_BATCHES", 2)
    notify(alice, 2 * snoozing.BATCH_ROWS + 5, snoozed_until=DUE)
    assert snoozing.wake_due() == 2 * snoozing.BATCH_ROWS
    assert snoozing.wake_due() == 5
    assert snoozing.wake_due() == 0


@pytest.mark.django_db
def test_with_nothing_due_one_look_into_an_index_is_all(alice: User) -> None:
    """However many sleep, and whatever the statistics say."""
    notify(alice, 3000, snoozed_until=LATER)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_notification")
        cursor.execute(snoozing._WAKE, [LIVE_CHANNEL])  # the session's first reads the catalogue
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {snoozing._WAKE}", [LIVE_CHANNEL])
        plan = cursor.fetchone()[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= 10


@pytest.mark.django_db(transaction=True)
def test_one_that_its_user_is_changing_is_left_for_the_next_time(alice: User) -> None:
    held, free = notify(alice, 2, snoozed_until=DUE)
    with second_session() as user, user.cursor() as cursor:
        cursor.execute("SELECT FROM notifications_notification WHERE id = %s FOR UPDATE", [held])
        sql("SET lock_timeout = '5s'")
        assert snoozing.wake_due() == 1
        sql("RESET lock_timeout")
    assert Notification.objects.get(snoozed_until=None).pk == free
    assert snoozing.wake_due() == 1


def test_only_so_many_are_put_before_the_rest(
    browser: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MAX_RETURNED", 2)
    back = notify(alice, 3, snoozed_until=DUE)
    for one in back:
        Notification.objects.filter(pk=one).update(
            snoozed_until=None, returned_at=NOW + timedelta(seconds=one)
        )
    new = notify(alice)
    assert ids(get(browser, LIST)) == [back[2], back[1], *new, back[0]]
