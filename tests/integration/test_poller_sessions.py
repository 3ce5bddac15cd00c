"""The poller's database session: what it may do, and what becomes of its work when it is lost."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection

from notifications import poller_session, recording
from notifications.database_errors import LOST_CONNECTION
from notifications.listening import Listener
from notifications.models import CapturedChange, FailedChange, PendingMark
from notifications.poller import Poller
from notifications.sources.frameworks import capture, names, reconcile, source
from notifications.sources.frameworks.source import FrameworkSource
from notifications.stopping import Stop
from preferences.job_protocol import NO_BLOCK, Block
from tests.cluster import asking, submit, told, update
from tests.database import second_session, sql
from tests.pollers import drain, held
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prepared() -> Iterator[Poller]:
    one = Poller()
    poller_session.prepare()
    yield one
    connection.close()


def test_a_frozen_poller_gives_up_its_lead_and_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen, thaw = threading.Event(), threading.Event()

    def freeze(*_: Any) -> None:
        frozen.set()
        assert thaw.wait(60)
        raise ValueError("something else")  # must not be taken for the reason

    def lead() -> None:
        one = Poller()
        poller_session.prepare()
        assert one._try_lock(names.LEADER_LOCK)
        try:
            one.run_once()
        finally:
            connection.close()

    monkeypatch.setattr(poller_session, "SETTINGS", poller_session.SETTINGS.replace(
        "idle_in_transaction_session_timeout = '5s'", "idle_in_transaction_session_timeout = '300ms'"
    ))  # fmt: skip
    update(submit(), state="FAILED")
    with monkeypatch.context() as patch, ThreadPoolExecutor(1) as thread:
        patch.setattr(recording, "record", freeze)
        leading = thread.submit(lead)
        try:
            assert frozen.wait(60)
            wait_for(lambda: not held(names.LEADER_LOCK), what="the lead is free")
        finally:
            thaw.set()
        with pytest.raises(LOST_CONNECTION):
            leading.result()
    assert told() == []
    drain()
    assert told() == [("failed", 0)]


def test_a_batch_that_takes_too_long_is_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be cut off by the limit of the session, taken again and cut off again, for ever."""
    short = poller_session.SETTINGS.replace("session_timeout = '5s'", "session_timeout = '1s'")
    monkeypatch.setattr(poller_session, "SETTINGS", short)

    def read_slowly(text: str | None) -> Block:
        time.sleep(0.03)
        return NO_BLOCK

    monkeypatch.setattr(source, "read_block", read_slowly)
    for number in range(50):
        update(submit(f"job-{number}"), state="FAILED")
    stop = Stop()

    def work() -> None:
        try:
            Poller().run(stop)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            wait_for(lambda: len(told()) == 50, what="all are told")
        finally:
            stop.request()
        working.result()


def test_a_change_is_not_blamed_for_a_connection_lost_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_the_connection(*_: Any) -> None:
        with second_session(autocommit=True) as other, other.cursor() as cursor:
            pid = connection.connection.info.backend_pid
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

            def gone() -> bool:
                cursor.execute("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", [pid])
                return bool(cursor.fetchone()[0])

            wait_for(gone)
        raise ValueError("something else")

    submit()
    monkeypatch.setattr(recording, "record", lose_the_connection)
    with pytest.raises(OperationalError, match="the connection was lost"):
        Poller().run_once()
    assert CapturedChange.objects.count() == 1
    assert not FailedChange.objects.exists()


def test_only_the_reconciling_scan_may_scan(prepared: Poller) -> None:
    name = submit()
    allowed: dict[str, set[str]] = {"scan": set(), "batch": set()}
    place = "scan"

    def look(execute: Any, statement: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(statement, params, many, context)
        if "frameworks" in statement or statement.startswith("EXECUTE"):
            with context["connection"].connection.cursor() as cursor:
                cursor.execute("SHOW enable_seqscan")
                allowed[place].add(cursor.fetchone()[0])
        return result

    with connection.execute_wrapper(look):
        reconcile.reconcile()
        place = "batch"
        update(name, state="FAILED")
        prepared.run_once()
    assert allowed == {"scan": {"on"}, "batch": {"off"}}


def test_a_change_takes_few_ways_to_the_server(prepared: Poller) -> None:
    """Each of them is a tenth of a millisecond in which the bell does not ring."""
    steps: list[str] = []

    def look(execute: Any, statement: str, *arguments: Any) -> Any:
        steps.append(statement)
        return execute(statement, *arguments)

    for job in ("first", "second"):  # the first prepares the statements
        update(submit(job, **asking("Running")), state="RUNNING")
        steps.clear()
        with connection.execute_wrapper(look):
            prepared.run_once()
    assert told() == [("running", 0)] * 2
    taken = steps.index("EXECUTE notifcenter_take (%s)")
    assert [re.findall(r"EXECUTE notifcenter_(\w+)", step) for step in steps[taken:]] == [
        ["take"],
        ["wishes_and_times"],
        ["record"],
        ["store", "follow", "mark"],
        [],  # the look at the other source, after the commit
    ]


def test_a_mark_that_cannot_be_made_stays_remembered() -> None:
    PendingMark.objects.create(framework_name=submit())
    sql('ALTER TABLE frameworks DROP COLUMN "notifiedAtRetried"')
    try:
        with pytest.raises(ProgrammingError):
            FrameworkSource().look_after()
        assert PendingMark.objects.exists()
    finally:
        capture.install()
    FrameworkSource().look_after()
    assert not PendingMark.objects.exists()


def test_every_connection_notices_that_the_server_is_gone_without_a_word() -> None:
    """The settings as libpq has taken them; they matter over TCP only."""
    connection.ensure_connection()
    listener = Listener("channel_of_a_test")
    try:
        for one in (connection.connection, listener._connection):
            parameters = one.info.dsn_parameters
            assert parameters["keepalives"] == "1"
            assert int(parameters["keepalives_idle"]) + 3 * int(parameters["keepalives_interval"]) <= 15
            assert int(parameters["tcp_user_timeout"]) <= 15_000
    finally:
        listener.close()
