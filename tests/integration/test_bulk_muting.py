"""Muting the jobs of many notifications at once by REST: bounded, in one transaction, and taken back exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications import marking
from notifications.sources.ingest.names import ALERT_PREFIX, framework_of
from preferences.models import JobConfig
from tests.clients import JOBS, client_of, config_url, get, send
from tests.cluster import submit_named
from tests.inbox import LIST, notify
from tests.integration.test_bulk_api import BULK, bulk

pytestmark = pytest.mark.django_db

TONIGHT = datetime.now(UTC) + timedelta(hours=5)
NEXT_WEEK = datetime.now(UTC) + timedelta(days=7)


def job_of(user: User, name: str, **values: Any) -> int:
    """A job of the cluster, and what was told of it."""
    at = submit_named(name, user.username)
    return notify(user, framework_name=name, job_name=name, submission_time=at, **values)[0]


def mutes() -> list[tuple[str, bool, datetime | None]]:
    rows = JobConfig.objects.order_by("framework_name")
    return list(rows.values_list("framework_name", "muted", "muted_until"))


def in_list(client: Client) -> dict[str, tuple[bool, str | None]]:
    return {
        one["job"]["name"]: (one["muted"], one["muted_until"])
        for one in get(client, LIST, page_size=100)["results"]
    }


def test_the_jobs_of_all_that_match_are_muted_and_shown_as_muted(browser: Client, alice: User) -> None:
    for name in ("resnet-1", "resnet-2", "bert"):
        job_of(alice, name)
    answer = bulk(browser, filter={"q": "resnet"}, action="mute", until=TONIGHT.isoformat())
    assert (answer["changed"], answer["next"], answer["unread"]) == (2, None, 3)
    assert mutes() == [("resnet-1", True, TONIGHT), ("resnet-2", True, TONIGHT)]
    assert {name for name, (muted, _) in in_list(browser).items() if muted} == {"resnet-1", "resnet-2"}
    jobs = {one["name"]: (one["muted"], one["muted_until"]) for one in get(browser, JOBS)["results"]}
    assert jobs["bert"] == (False, None)
    assert jobs["resnet-1"][0]
    assert datetime.fromisoformat(jobs["resnet-1"][1]) == TONIGHT
    assert bulk(browser, undo=answer["undo"])["changed"] == 2
    assert mutes() == []


def test_undo_takes_back_exactly_what_was_muted(browser: Client, alice: User) -> None:
    """What was muted before keeps its own end, what was changed since stays, and other switches too."""
    ids = [job_of(alice, name) for name in ("a-free", "b-muted", "c-for-good", "d-changed", "e-switched")]
    send(browser, "PATCH", config_url("b-muted"), {"muted_until": NEXT_WEEK.isoformat()})
    send(browser, "PATCH", config_url("c-for-good"), {"muted": True})
    send(browser, "PATCH", config_url("e-switched"), {"events": {"running": True}})
    before = [one for one in mutes() if one[0] != "d-changed"]
    answer = bulk(browser, ids=ids, action="mute")
    assert answer["changed"] == 4  # one was so already
    assert all(muted and until is None for _, muted, until in mutes())
    send(browser, "PATCH", config_url("d-changed"), {"muted_until": TONIGHT.isoformat()})
    assert bulk(browser, undo=answer["undo"])["changed"] == 3
    assert [one for one in mutes() if one[0] != "d-changed"] == before
    assert ("d-changed", True, TONIGHT) in mutes()
    assert JobConfig.objects.get(framework_name="e-switched").events == {"running": True}


def test_unmuting_is_taken_back_too(browser: Client, alice: User) -> None:
    ids = [job_of(alice, name) for name in ("a", "b", "c")]
    bulk(browser, ids=ids[:1], action="mute", until=NEXT_WEEK.isoformat())
    bulk(browser, ids=ids[1:2], action="mute")
    before = mutes()
    answer = bulk(browser, ids=ids, action="unmute")
    assert (answer["changed"], mutes()) == (2, [])
    bulk(browser, undo=answer["undo"])
    assert mutes() == before


def test_a_mute_that_has_run_out_is_none(browser: Client, alice: User) -> None:
    one = job_of(alice, "a")
    JobConfig.objects.create(
        framework_name="a",
        submission_time=alice.notifications.get().submission_time,
        muted=True,
        muted_until=datetime.now(UTC) - timedelta(minutes=1),
    )
    assert in_list(browser) == {"a": (False, None)}
    answer = bulk(browser, ids=[one], action="mute")
    assert in_list(browser) == {"a": (True, None)}
    bulk(browser, undo=answer["undo"])
    assert in_list(browser) == {"a": (False, None)}


def test_only_ones_own_jobs_of_the_cluster_are_muted(browser: Client, alice: User, bob: User) -> None:
    """Not another scheduler's, not a sweep, not what is gone, and not somebody else's of which one has heard."""
    job_of(alice, "mine")
    foreign = job_of(bob, "bobs")
    submit_named("heard-of", "bob")
    notify(alice, framework_name="heard-of")
    notify(alice, framework_name="gone")
    notify(alice, framework_name=framework_of("slurm-7"))
    notify(alice, framework_name="group:7")
    assert bulk(browser, filter={}, action="mute")["changed"] == 1
    assert bulk(browser, ids=[foreign], action="mute")["changed"] == 0
    assert [name for name, *_ in mutes()] == ["mine"]


def test_an_alert_mutes_the_job_that_it_is_about(browser: Client, alice: User) -> None:
    at = submit_named("bert")
    details = {"framework": "bert", "submitted": at.isoformat()}
    (one,) = notify(
        alice, event="alert", framework_name=f"{ALERT_PREFIX}abc", details=details, job_name="bert"
    )
    assert bulk(browser, ids=[one], action="mute")["changed"] == 1
    assert in_list(browser) == {"bert": (True, None)}


def test_it_goes_part_by_part_and_each_is_taken_back(
    browser: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "BATCH_ROWS", 3)
    for number in range(7):
        job_of(alice, f"job-{number}")
    answers = [bulk(browser, filter={}, action="mute")]
    while answers[-1]["next"]:
        answers.append(bulk(browser, filter={}, action="mute", cursor=answers[-1]["next"]))
    assert [answer["changed"] for answer in answers] == [3, 3, 1]
    for answer in answers:
        bulk(browser, undo=answer["undo"])
    assert mutes() == []


def test_an_undo_is_for_its_user_alone(browser: Client, alice: User, bob: User) -> None:
    token = bulk(browser, ids=[job_of(alice, "a")], action="mute")["undo"]
    assert send(client_of(bob), "POST", BULK, {"undo": token}).status_code == 400
    assert len(mutes()) == 1


def test_a_full_batch_costs_as_many_queries_as_a_small_one_and_can_be_taken_back(
    browser: Client, alice: User
) -> None:
    """Also with the longest names that there can be, whose undo is the longest."""

    def muted(count: int) -> tuple[int, str]:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = bulk(browser, filter={}, action="mute")
        assert answer["changed"] == count
        return len(captured), answer["undo"]

    job_of(alice, "one")
    few, _ = muted(1)
    for number in range(marking.BATCH_ROWS - 1):
        job_of(alice, f"{number:04}-{hash((number, 'x')) & (1 << 128) - 1:059d}")
    many, token = muted(marking.BATCH_ROWS - 1)
    assert many <= few + 10
    assert bulk(browser, undo=token)["changed"] == marking.BATCH_ROWS - 1
    assert [name for name, *_ in mutes()] == ["one"]
