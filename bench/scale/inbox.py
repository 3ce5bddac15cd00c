"""Inbox page, unread count and search: 100 thousand of one's own among 10 million, against 10 thousand.

Measured over REST in this process. What counts is what the database's server takes for a request's statements,
sign-in included: planning and execution as it says itself. What the client waits for them has the machine's noise too.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.database import Line, connect, quantile, reset
from bench.scale import kept, share

FEW, MANY, EACH = 10_000, 10_000_000, 100
"""The few are all the reader's; of the many one in EACH."""

CHUNK = 1_000_000
OTHERS = 1000
"""Users beside the one who is measured."""

READER = "user1"
ROUNDS = 200
TARGET_MS = 5.0
TARGET_RATIO = 2.0

# Two in a hundred are unread, a third is archived: an inbox that is looked after now and then.
_FILL = """
INSERT INTO notifications_notification (user_id, event, ordinal, framework_name, submission_time, job_name,
    virtual_cluster, details, occurred_at, created_at, in_inbox, read_at, archived_at)
SELECT CASE WHEN n %% %(each)s = 0 THEN %(reader)s ELSE %(first)s + n %% %(others)s END,
       (ARRAY['running', 'succeeded', 'failed', 'stopped'])[1 + own %% 4], 0, md5(n::text), at, 'resnet50-lr' || own,
       'default', '{"exit_code": 1, "phrase": "ContainerFailed", "reason": "The container ended with exit code 1."}',
       at, at, true, CASE WHEN own %% 50 <> 0 THEN at END, CASE WHEN own %% 3 = 0 THEN at END
  FROM generate_series(%(start)s, %(end)s) n
 CROSS JOIN LATERAL (SELECT n / %(each)s AS own) o
 CROSS JOIN LATERAL (SELECT now() - interval '30 s' * (%(all)s / %(each)s - own) AS at) t
"""
_OTHERS = """
INSERT INTO auth_user (username, password, email, first_name, last_name, is_active, is_staff, is_superuser, date_joined)
SELECT 'other' || n, '!', '', '', '', true, false, false, now() FROM generate_series(1, %s) n
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds of one question's rounds: in the server, and as the client waits for it."""

    server: list[float]
    client: list[float]

    def both(self, share: float) -> str:
        return f"{quantile(self.server, share):.2f} / {quantile(self.client, share):.2f} ms"


def run() -> Iterator[Line]:
    rows = share(MANY)
    few = _figures(FEW, each=1)
    many = _figures(rows, each=EACH)
    for name, figures in many.items():
        p99 = quantile(figures.server, 0.99)
        yield Line(
            f"{name}, {rows:,}: server / client, p99",
            figures.both(0.99),
            f"{few[name].both(0.99)} of {FEW:,}",
            None,
            f"≤ {TARGET_MS:.0f} ms",
            p99 <= TARGET_MS,
        )
        ratio = quantile(figures.server, 0.5) / quantile(few[name].server, 0.5)
        yield Line(
            "… p50",
            figures.both(0.5),
            few[name].both(0.5),
            ratio,
            f"≤ {TARGET_RATIO:.0f} ×",
            ratio <= TARGET_RATIO,
        )


def make() -> None:
    _switch(FEW, each=1)
    _switch(share(MANY), each=EACH)


def _switch(rows: int, *, each: int) -> None:
    kept.switch(f"inbox_{rows}_{each}", f"{_FILL}{_OTHERS}{OTHERS}", partial(_fill, rows, each))


def _fill(rows: int, each: int) -> None:
    """That many notifications, the newest now; one of `each` is the reader's."""
    reset(1)
    connection = connect()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(_OTHERS, [OTHERS])
        cursor.execute("SELECT id FROM auth_user WHERE username = %s", [READER])
        (reader,) = cursor.fetchall()[0]
        cursor.execute("SELECT min(id) FROM auth_user WHERE username LIKE 'other%'")
        (first,) = cursor.fetchall()[0]
        values = {"reader": reader, "first": first, "others": OTHERS, "all": rows, "each": each}
        for start in range(0, rows, CHUNK):
            cursor.execute(_FILL, {**values, "start": start + 1, "end": min(rows, start + CHUNK)})
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    connection.close()


def _figures(rows: int, *, each: int) -> dict[str, Figures]:
    """By question."""
    _switch(rows, each=each)
    own = rows // each
    from django.contrib.auth.models import User
    from django.test import Client

    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(User.objects.get(username=READER))
    address = "/api/v1/notifications/"
    middle = browser.get(address, {"page_size": 50}).json()["next"]

    def get(where: str, **query: Any) -> Callable[[], None]:
        def ask() -> None:
            answer = browser.get(where, query)
            assert answer.status_code == 200, answer.content

        return ask

    questions = {
        "inbox, first page": get(address, page_size=50),
        "inbox, a later page": get(middle),
        "inbox, unread": get(address, unread="true", page_size=50),
        "unread count": get(f"{address}unread/"),
        "search by job, found": get(address, q=f"lr{own - 5}"),
        "search by job, not found": get(address, q="no such job"),
        "failed ones of a job's name": get(address, event="failed", job=f"resnet50-lr{own - 6}"),
    }
    return {name: _measure(ask) for name, ask in questions.items()}


def _measure(ask: Callable[[], None]) -> Figures:
    figures = Figures([], [])
    with _no_garbage_collection():
        for _ in range(ROUNDS):
            with _statements() as statements:
                ask()
            figures.client.append(sum(seconds for _, _, seconds in statements) * 1000)
            figures.server.append(sum(_in_server(sql, values) for sql, values, _ in statements))
    return figures


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Its pauses would count as the database's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _statements() -> Iterator[list[tuple[str, Any, float]]]:
    """What is executed meanwhile: statement, values, seconds until the answer."""
    from django.db import connection

    done: list[tuple[str, Any, float]] = []

    def watch(execute: Callable[..., Any], sql: str, values: Any, *others: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, values, *others)
        finally:
            done.append((sql, values, time.perf_counter() - started))

    with connection.execute_wrapper(watch):
        yield done


def _in_server(sql: str, values: Any) -> float:
    """Milliseconds that the same statement takes there, to be planned and executed."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", values)
        (plan,) = cursor.fetchone()
    (told,) = json.loads(plan) if isinstance(plan, str) else plan
    return float(told["Planning Time"]) + float(told["Execution Time"])
