"""/healthz: 200, or 503 with the failing part named; open to everybody, and it tells no secrets."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from notifications.delivery import sender
from notifications.delivery.backoff import Breaker
from notifications.health import DELIVERIES
from notifications.models import Delivery, PollerState
from notifications.sources.frameworks import capture
from notifications.sources.frameworks.source import FrameworkSource
from tests import processes
from tests.deliveries import make_deliveries, make_delivery, reloaded
from tests.processes import poller, wait_for

pytestmark = pytest.mark.django_db


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture(autouse=True)
def a_poller_at_work() -> None:
    FrameworkSource().look_after()
    PollerState.objects.update(heartbeat_at=timezone.now())


def health(*parts: str) -> tuple[int, dict[str, Any]]:
    answer = Client().get("/healthz", {"part": parts})
    return answer.status_code, answer.json()


def failing(part: str) -> str:
    """What it says of the one failing part."""
    status, answer = health()
    assert (status, answer["status"]) == (503, "failing")
    assert list(answer["failing"]) == [part]
    return str(answer["failing"][part])


def test_all_is_well() -> None:
    assert health() == (200, {"status": "ok"})


def test_a_probe_asks_for_the_parts_that_it_means() -> None:
    capture.remove()
    assert health("database", "migrations") == (200, {"status": "ok"})
    assert list(health("database", "capture")[1]["failing"]) == ["capture"]
    status, answer = health("databse")
    assert (status, "'databse'" in answer["detail"], "database" in answer["detail"]) == (400, True, True)


def test_the_capture() -> None:
    capture.remove()
    assert "Run `notifcenter capture install`" in failing("capture")


def test_the_clusters_table() -> None:
    sql("DROP TABLE frameworks")
    assert "no table `frameworks`" in failing("capture")


@pytest.mark.parametrize("seconds", [31, 3600, None])
def test_the_poller(seconds: int | None) -> None:
    beat = None if seconds is None else timezone.now() - timedelta(seconds=seconds)
    PollerState.objects.update(heartbeat_at=beat)
    assert "Run `notifcenter poll_frameworks`" in failing("poller")


def test_a_poller_that_never_was() -> None:
    PollerState.objects.all().delete()
    assert "No poller is at work" in failing("poller")


def ago(**values: float) -> datetime:
    return timezone.now() - timedelta(**values)


def put_off(*deliveries: Delivery, state: str = "retry") -> None:
    """Refused twice since yesterday, to be tried again in some hours."""
    later = timezone.now() + timedelta(hours=3)
    Delivery.objects.filter(id__in=[delivery.id for delivery in deliveries]).update(
        state=state, refusals=2, created_at=ago(hours=20), due_at=later, planned_at=later
    )


@pytest.mark.parametrize("state", ["pending", "leased", "retry"])
def test_a_delivery_that_nobody_sends(alice: User, state: str) -> None:
    make_delivery(alice)
    assert health()[0] == 200
    Delivery.objects.update(state=state, due_at=ago(minutes=-4), planned_at=ago(minutes=125))
    assert "has been due for 2 hours 5 minutes. Run `celery" in failing("deliveries")
    Delivery.objects.update(state="sent")
    assert health()[0] == 200


def test_a_mail_server_that_is_down_though_every_try_moves_the_next_one_on(
    alice: User, settings: Settings, breaker: Breaker
) -> None:
    settings.EMAIL_CONFIGURED = False
    delivery = make_delivery(alice)
    Delivery.objects.update(planned_at=ago(minutes=16), due_at=ago(minutes=16))
    sender.deliver_once()
    tried = reloaded(delivery)
    assert tried.due_at > timezone.now()
    assert "No mail server is configured" in tried.last_error
    assert "due for 16 minutes" in failing("deliveries")


def test_one_mailbox_that_puts_its_mails_off_is_no_failure(alice: User, bob: User) -> None:
    put_off(*(make_delivery(user) for user in (alice, bob, alice, bob)))
    assert health()[0] == 200


def test_everybodys_mails_put_off_and_none_sent(alice: User, bob: User, root: User) -> None:
    sent = make_delivery(alice)
    Delivery.objects.update(state="sent", sent_at=ago(hours=21))
    put_off(*(make_delivery(user) for user in (alice, bob, root)))
    assert "The mails of 3 users are put off, and none was sent" in failing("deliveries")
    Delivery.objects.filter(id=sent.id).update(sent_at=ago(hours=19))
    assert health()[0] == 200


@pytest.mark.django_db(transaction=True)
def test_looking_at_deliveries_reads_no_whole_table() -> None:
    make_deliveries(User.objects.create_user("alice", "alice@example.org"), 5000)
    Delivery.objects.update(state="sent", sent_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_delivery")
        values: dict[str, Any] = {"channels": ["email"], "most": 100, "late_seconds": 900, "refused_users": 3}
        cursor.execute("EXPLAIN " + DELIVERIES, values)
        plan = "\n".join(line for (line,) in cursor)
    assert "delivery_due" in plan
    assert "Seq Scan on notifications_delivery" not in plan


def test_migrations_that_were_not_made_and_nothing_behind_them() -> None:
    sql("DELETE FROM django_migrations WHERE app = 'notifications'")
    capture.remove()
    assert "Run `notifcenter migrate`" in failing("migrations")


def test_several_parts_are_all_named() -> None:
    capture.remove()
    PollerState.objects.all().delete()
    assert set(health()[1]["failing"]) == {"capture", "poller"}


def test_only_reading_is_allowed() -> None:
    assert Client().post("/healthz").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_of_a_real_web_process_with_a_poller_and_then_without_a_database(tmp_path: Path) -> None:
    PollerState.objects.all().delete()

    def ask(url: str, path: str = "/healthz") -> tuple[int, bytes]:
        try:
            with urlopen(f"{url}{path}", timeout=30) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()

    with processes.daphne(tmp_path) as (url, _):
        assert ask(url)[0] == 503
        with poller(tmp_path, "--interval", "60"):
            wait_for(lambda: ask(url) == (200, b'{"status": "ok"}'))
    nowhere = "postgresql://somebody:the-password@127.0.0.1:1/none"
    with processes.daphne(tmp_path, DATABASE_URL=nowhere) as (url, process):
        status, body = ask(url)
        assert (status, body) == (
            503,
            b'{"status": "failing", "failing": {"database": "The database does not answer."}}',
        )
        assert "health check failed check=database" in process.log
        assert ask(url, "/metrics") == (503, b"The database does not answer; /healthz says more.\n")
        assert "metrics cannot be read" in process.log
        assert "the-password" not in process.log
        assert "Traceback" not in process.log
