"""A poller that takes the lead gives out no id that was given out before, whatever became of the database meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifications import leadership
from notifications.models import PollerState
from notifications.poller import Poller
from notifications.stopping import Stop
from tests.database import sql

pytestmark = pytest.mark.django_db(transaction=True)

SEQUENCES = ("notifications_notification", "notifications_delivery", "notifications_jobgroup")


def next_ids() -> list[int]:
    return [sql("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", name)[0][0] for name in SEQUENCES]


def heard_of(at: datetime | None) -> None:
    PollerState.objects.update_or_create(id=1, defaults={"heartbeat_at": at})


def test_ids_of_the_time_in_which_it_was_not_heard_of_are_left_out() -> None:
    heard_of(datetime.now(UTC) - timedelta(hours=1))
    before = next_ids()
    leadership.begin()
    for old, new in zip(before, next_ids(), strict=True):
        assert new > old + 3600 * leadership.MOST_IDS_A_SECOND


@pytest.mark.parametrize("at", [None, datetime.now(UTC) + timedelta(hours=1)])
def test_none_are_left_out_at_the_first_start_or_when_a_clock_was_wrong(at: datetime | None) -> None:
    heard_of(at)
    before = next_ids()
    leadership.begin()
    assert next_ids() == [one + 1 for one in before]


def test_the_poller_begins_so_once() -> None:
    heard_of(datetime.now(UTC) - timedelta(hours=1))
    before = next_ids()
    Poller().run(Stop(), once=True)
    first = next_ids()
    Poller().run(Stop(), once=True)
    for old, new, again in zip(before, first, next_ids(), strict=True):
        assert new > old + 3600 * leadership.MOST_IDS_A_SECOND
        assert again < new + 3600 * leadership.MOST_IDS_A_SECOND
