"""GET /api/v1/jobs/."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import job_list
from tests.clients import JOBS, client_of
from tests.cluster import submit_named

MOMENT = "2026-01-01T00:00:00+00:00"
MADE_UP: list[tuple[Any, ...]] = [
    (True, MOMENT, ["x"]),
    (True, MOMENT, {}),
    (True, MOMENT, "\ud800"),
    (True, "0001-01-01T00:00:00+23:59", ""),
    (False, "9999-12-31T23:59:59-23:59", ""),
]


def made_up(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def names(answer: Any) -> list[str]:
    return [job["framework"] for job in answer.json()["results"]]


class TestList:
    def test_own_jobs_newest_first(self, browser: Client) -> None:
        now = timezone.now()
        for number in range(3):
            submit_named(f"job{number}", at=now - timedelta(hours=number), state="RUNNING", retries=number)
        submit_named("bobs", owner="bob")
        answer = browser.get(JOBS)
        assert names(answer) == ["job0", "job1", "job2"]
        assert answer.json()["results"][2] == {
            "name": "job2",
            "framework": "job2",
            "username": "alice",
            "virtual_cluster": "default",
            "state": "RUNNING",
            "retries": 2,
            "submission_time": (now - timedelta(hours=2)).isoformat().replace("+00:00", "Z"),
            "muted": False,
            "muted_until": None,
        }

    def test_an_administrator_sees_everybodys(self, root: User) -> None:
        submit_named("alices")
        submit_named("bobs", owner="bob")
        assert names(client_of(root).get(JOBS)) == ["bobs", "alices"]

    def test_the_window_is_thirty_days_unless_told(self, browser: Client) -> None:
        submit_named("old", at=timezone.now() - timedelta(days=31))
        assert names(browser.get(JOBS)) == []
        assert names(browser.get(JOBS + "?days=32")) == ["old"]

    @pytest.mark.parametrize("who", ["alice", "root"])
    def test_pages_go_on_and_back_without_gap_or_double(self, alice: User, root: User, who: str) -> None:
        browser = client_of(root if who == "root" else alice)
        now = timezone.now()
        for number in range(7):
            submit_named(f"job{number}", at=now - timedelta(minutes=number // 3))  # several at the same time
        everything = names(browser.get(JOBS))
        assert len(everything) == 7
        pages, url = [], JOBS + "?page_size=3"
        while url:
            answer = browser.get(url)
            pages.append(names(answer))
            last, url = url, answer.json()["next"]
        assert [len(page) for page in pages] == [3, 3, 1]
        assert list(chain.from_iterable(pages)) == everything
        back = browser.get(last).json()["previous"]
        assert names(browser.get(back)) == pages[1]
        first = browser.get(browser.get(back).json()["previous"])
        assert names(first) == pages[0]
        assert browser.get(JOBS).json()["previous"] is None

    def test_a_page_looks_at_a_bounded_number_of_jobs(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(job_list, "MAX_EXAMINED_JOBS", 10)
        now = timezone.now()
        submit_named("oldest", at=now - timedelta(hours=25))
        for number in range(24):
            submit_named(f"bob{number}", owner="bob", at=now - timedelta(hours=number))
        pages, url = [], JOBS
        while url:
            answer = browser.get(url)
            pages.append(names(answer))
            url = answer.json()["next"]
        assert pages == [[], [], ["oldest"]]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("days=0", "days"),
            ("days=366", "days"),
            ("days=x", "days"),
            ("page_size=101", "page_size"),
            ("cursor=x", "cursor"),
            ("cursor=bnVsbA==", "cursor"),
            ("cursor=%00", "cursor"),
            ("cursor=WzEsIDIsIDNd", "cursor"),
            ("user=bob", "user"),
            *((f"cursor={made_up(*parts)}", "cursor") for parts in MADE_UP),
        ],
    )
    def test_a_query_that_cannot_be_used_is_refused_by_name(
        self, browser: Client, query: str, field: str
    ) -> None:
        answer = browser.get(f"{JOBS}?{query}")
        assert answer.status_code == 400
        assert list(answer.json()) == [field]

    @pytest.mark.parametrize("days", [30, 365])
    def test_the_table_is_read_by_its_index(self, browser: Client, alice: User, days: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO frameworks (name, "userName", "submissionTime", "updatedAt", state, snapshot)
                SELECT 'f' || n, 'user' || n % 100, now() - n * interval '10 minutes', now(), 'SUCCEEDED',
                       repeat('x', 500)
                FROM generate_series(1, 60000) n"""
            )
            cursor.execute("ANALYZE frameworks")
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert browser.get(f"{JOBS}?days={days}").status_code == 200
        statements = [query["sql"] for query in captured if "FROM frameworks" in query["sql"]]
        assert len(statements) == 2
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(f"EXPLAIN {statement}")
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Index Scan" in plan
                assert "Seq Scan" not in plan
