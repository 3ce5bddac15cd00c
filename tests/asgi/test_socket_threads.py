"""What sockets ask of the database: few connections for many questions, none when nobody asks."""

from __future__ import annotations

import asyncio

import pytest
from django.db import OperationalError, connection

from notifications import socket_threads
from notifications.socket_threads import THREADS, in_thread
from tests.database import sql
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def own_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_many_questions_share_few_connections_which_do_not_stay() -> None:
    async def ask() -> list[int]:
        return list(await asyncio.gather(*(in_thread(own_pid) for _ in range(100))))

    pids = set(asyncio.run(ask()))
    assert 1 <= len(pids) <= THREADS
    wait_for(
        lambda: not sql("SELECT FROM pg_stat_activity WHERE pid = ANY(%s)", list(pids)),
        what="the connections are closed",
    )


def test_what_a_question_raises_reaches_who_asked() -> None:
    def wrong() -> None:
        raise LookupError("nothing there")

    async def ask() -> None:
        await in_thread(wrong)

    with pytest.raises(LookupError, match="nothing there"):
        asyncio.run(ask())


@pytest.mark.parametrize(("kept", "calls"), [(True, 2), (False, 1)])
def test_only_a_kept_connection_that_is_lost_is_asked_again(kept: bool, calls: int) -> None:
    asked: list[int] = []

    def lose_the_first() -> int:
        asked.append(own_pid())
        if len(asked) == 1:
            sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return len(asked)

    result, error = socket_threads._call(lose_the_first, again=kept)
    connection.close()
    assert (len(asked), result) == (calls, 2 if kept else None)
    assert isinstance(error, OperationalError) is not kept
