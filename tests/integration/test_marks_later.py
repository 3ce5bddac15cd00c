"""A row that the cluster holds locked gets its marks when it is free."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from django.db import connection

from notifications.models import PendingMark
from notifications.sources.frameworks.source import FrameworkSource
from tests.cluster import ALL_EVENTS, columns, framework_name, submit, told, update
from tests.pollers import drain

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_a_row_that_the_cluster_holds_locked_is_marked_later_and_holds_up_nobody() -> None:
    locked, free = submit("locked", **ALL_EVENTS), submit("free", **ALL_EVENTS)
    for name in (locked, free):
        update(name, state="RUNNING")
    other = psycopg2.connect(**connection.get_connection_params())
    try:
        with other.cursor() as cursor:
            cursor.execute('UPDATE frameworks SET "jobPriority" = %s WHERE name = %s', ["test", locked])
            drain()
            assert (told(locked), told(free)) == ([("running", 0)], [("running", 0)])
            assert columns(free, "notifiedAtRunning") == (True,)
            assert PendingMark.objects.get().framework_name == locked
            FrameworkSource().look_after()
            assert PendingMark.objects.exists(), "still locked, still remembered"
            other.commit()
    finally:
        other.close()
    assert columns(locked, "notifiedAtRunning") == (False,)
    FrameworkSource().look_after()
    assert columns(locked, "notifiedAtRunning", "jobPriority") == (True, "test")
    assert not PendingMark.objects.exists()


def test_a_mark_that_waits_for_a_job_that_is_gone_goes_too() -> None:
    PendingMark.objects.create(framework_name=framework_name("gone"))
    FrameworkSource().look_after()
    assert not PendingMark.objects.exists()


def test_marks_of_a_job_are_not_those_of_the_one_that_had_its_name_before() -> None:
    name = submit(**ALL_EVENTS)
    update(name, state="FAILED")
    drain()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM frameworks")
    again = submit(**ALL_EVENTS, submissionTime=datetime.now(UTC) + timedelta(minutes=1))
    assert again == name
    update(name, state="RUNNING")
    drain()
    PendingMark.objects.create(framework_name=name)  # so that nothing of its own is left to mark
    FrameworkSource().look_after()
    assert columns(name, "notifiedAtRunning", "notifiedAtFailed") == (True, False)
