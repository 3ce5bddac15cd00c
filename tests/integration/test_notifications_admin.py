"""The admin's pages of notifications, deliveries and changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.models import Delivery, DeliveryState, Notification
from notifications.sources.frameworks.models import CapturedChange, FailedChange, WaitingJob
from preferences.paging import MAX_COUNTED_ROWS
from tests.deliveries import SUBMITTED, make_deliveries, make_delivery

PAGES = ("notification", "delivery", "capturedchange", "failedchange", "waitingjob")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def browser(root: User, client: Client) -> Client:
    client.force_login(root)
    return client


def url(model: str, *rest: object) -> str:
    return "/".join(["/admin/notifications", model, *map(str, rest), ""])


def fail(delivery: Delivery, error: str = "550 no such user") -> None:
    Delivery.objects.filter(id=delivery.id).update(state=DeliveryState.FAILED, attempts=3, last_error=error)


def put_aside(name: str = "job1", **values: Any) -> FailedChange:
    return FailedChange.objects.create(
        framework_name=name,
        submission_time=SUBMITTED,
        user_name="../admin",
        new_state="FAILED",
        new_retries=0,
        error="There can be no user '../admin'.",
        **values,
    )


def make_one_of_each(user: User) -> dict[str, Any]:
    delivery = make_delivery(user, job_name=HOSTILE)
    fail(delivery, HOSTILE)
    captured = CapturedChange.objects.create(framework_name=HOSTILE, submission_time=SUBMITTED)
    waiting = WaitingJob.objects.create(
        framework_name="w1", submission_time=SUBMITTED, user_name=HOSTILE, ordinal=0, since=SUBMITTED
    )
    return {
        "notification": delivery.notification,
        "delivery": delivery,
        "capturedchange": captured,
        "failedchange": put_aside(HOSTILE),
        "waitingjob": waiting,
    }


def run(browser: Client, model: str, action: str, *rows: Any) -> str:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    answer = browser.post(url(model), chosen, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("model", PAGES)
def test_lists_searches_and_rows_open_and_escape(browser: Client, alice: User, model: str) -> None:
    row = make_one_of_each(alice)[model]
    pages = [url(model), *(f"{url(model)}?q={term}" for term in ("alice", "7", "9" * 30, "%00", "²", "'"))]
    for page in [*pages, url(model, row.pk, "change")]:
        answer = browser.get(page)
        assert answer.status_code == 200, page
        assert HOSTILE not in answer.content.decode()


@pytest.mark.parametrize("model", PAGES)
def test_only_staff_sees_them(alice: User, client: Client, model: str) -> None:
    assert client.get(url(model)).status_code == 302
    client.force_login(alice)
    assert client.get(url(model)).status_code == 302


@pytest.mark.parametrize("model", PAGES)
def test_nobody_writes_them_by_hand(browser: Client, alice: User, model: str) -> None:
    row = make_one_of_each(alice)[model]
    assert browser.get(url(model, "add")).status_code == 403
    assert browser.post(url(model, row.pk, "change"), {"framework_name": "x"}).status_code == 403
    allowed = model == "failedchange"
    assert browser.get(url(model, row.pk, "delete")).status_code == (200 if allowed else 403)


@pytest.mark.parametrize(
    ("model", "term"),
    [
        ("notification", "alice"),
        ("notification", "wanted"),
        ("notification", "f" * 32),
        ("delivery", "alice"),
        ("delivery", "wanted"),
        ("delivery", "f" * 32),
    ],
)
def test_searching_finds_by_user_job_and_framework(
    browser: Client, alice: User, bob: User, model: str, term: str
) -> None:
    wanted = make_delivery(alice, job_name="wanted", framework_name="f" * 32)
    make_delivery(bob, job_name="other")
    answer = browser.get(url(model), {"q": term})
    row = wanted if model == "delivery" else wanted.notification
    assert [found.pk for found in answer.context["cl"].result_list] == [row.pk]


def test_searching_finds_by_id(browser: Client, alice: User) -> None:
    first, _ = make_delivery(alice), make_delivery(alice)
    found = browser.get(url("notification"), {"q": str(first.notification_id)}).context["cl"].result_list
    assert first.notification_id in [row.pk for row in found]


@pytest.mark.parametrize("model", ["notification", "delivery"])
def test_a_list_neither_counts_nor_loads_the_whole_table(browser: Client, alice: User, model: str) -> None:
    make_deliveries(alice, MAX_COUNTED_ROWS + 100)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = browser.get(url(model))
    assert answer.context["cl"].result_count == MAX_COUNTED_ROWS
    assert len(answer.context["cl"].result_list) == 50
    assert len(queries) < 15
    for query in queries:
        sql = query["sql"]
        assert f'FROM "notifications_{model}"' not in sql or "LIMIT" in sql, sql


def test_trying_a_failed_delivery_again_puts_it_back_in_line(browser: Client, alice: User) -> None:
    failed, sent = make_delivery(alice), make_delivery(alice)
    fail(failed)
    Delivery.objects.filter(id=sent.id).update(state=DeliveryState.SENT)
    page = run(browser, "delivery", "resend", failed, sent)
    assert "1 put back in line" in page
    assert "1 left alone" in page
    failed.refresh_from_db()
    sent.refresh_from_db()
    assert (failed.state, failed.attempts) == (DeliveryState.PENDING, 0)
    assert sent.state == DeliveryState.SENT


def test_the_error_of_a_delivery_shows_in_the_list(browser: Client, alice: User) -> None:
    fail(make_delivery(alice))
    assert "550 no such user" in browser.get(url("delivery") + "?state=failed").content.decode()


def test_a_lease_that_ran_out_is_told_in_the_list(browser: Client, alice: User) -> None:
    make_delivery(alice)
    Delivery.objects.update(state=DeliveryState.LEASED, due_at=Now() + timedelta(minutes=1))
    assert "The lease ran out" not in browser.get(url("delivery")).content.decode()
    Delivery.objects.update(due_at=Now() - timedelta(minutes=1))
    assert "The lease ran out" in browser.get(url("delivery")).content.decode()


def test_trying_a_change_again_puts_it_back_before_the_poller(browser: Client) -> None:
    again, left = put_aside("job1"), put_aside("job2")
    assert "There can be no user" in browser.get(url("failedchange")).content.decode()
    assert "1 put back in line" in run(browser, "failedchange", "try_again", again)
    assert list(FailedChange.objects.values_list("framework_name", flat=True)) == [left.framework_name]
    assert list(CapturedChange.objects.values_list("framework_name", "new_state")) == [("job1", "FAILED")]


def test_staff_that_may_only_look_cannot_try_again(alice: User, client: Client) -> None:
    alice.is_staff = True
    alice.save()
    alice.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client.force_login(alice)
    delivery = make_delivery(alice)
    fail(delivery)
    assert client.get(url("delivery")).status_code == 200
    client.post(url("delivery"), {"action": "resend", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.FAILED


def test_deleting_a_user_takes_their_notifications_along(browser: Client, alice: User) -> None:
    make_delivery(alice)
    alice.delete()
    assert not Notification.objects.exists()
    assert not Delivery.objects.exists()
