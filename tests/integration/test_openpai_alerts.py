"""GET /api/v2/alerts: what the bell of OpenPAI's own portal reads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from notifications import inbox
from notifications.models import Notification
from tests.clients import client_of, get
from tests.inbox import AS_NEW, notify

pytestmark = pytest.mark.django_db

URL = "/api/v2/alerts"


def summaries(user: User) -> list[str]:
    return [alert["annotations"]["summary"] for alert in get(client_of(user), URL)]


def test_a_notification_has_the_shape_of_the_originals_alert(alice: User, settings: Settings) -> None:
    settings.BASE_URL = "https://notify.example.org"
    (key,) = notify(alice, event="failed", job_name="resnet50", details={"why": "out of GPU memory"})
    (alert,) = get(client_of(alice), URL)
    created = Notification.objects.get().created_at
    assert datetime.fromisoformat(alert.pop("endsAt")) == created + inbox.RECENT
    assert alert == {
        "labels": {
            "alertname": "PAIJobStatusChange",
            "severity": "warn",
            "job_name": "resnet50",
            "username": "alice",
            "state": "FAILED",
            "retries": "0",
        },
        "annotations": {"summary": "resnet50 failed: out of GPU memory"},
        "startsAt": "2026-11-22T09:00:00Z",
        "generatorURL": "https://notify.example.org/jobs/framework-0/",
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        "receivers": [],
        "fingerprint": f"{key:016x}",
    }


@pytest.mark.parametrize(
    ("event", "ordinal", "state", "retries"),
    [
        ("running", 0, "RUNNING", "0"),
        ("succeeded", 0, "SUCCEEDED", "0"),
        ("stopped", 0, "STOPPED", "0"),
        ("retried", 3, "RETRIED", "3"),
        ("waiting_too_long", 2, "WAITING", "0"),
    ],
)
def test_each_event_has_its_state(alice: User, event: str, ordinal: int, state: str, retries: str) -> None:
    notify(alice, event=event, ordinal=ordinal)
    (alert,) = get(client_of(alice), URL)
    assert (alert["labels"]["state"], alert["labels"]["retries"]) == (state, retries)


def test_an_alert_keeps_the_labels_that_it_came_with_except_job_and_owner(alice: User) -> None:
    own = {"alertname": "GpuIdle", "severity": "critical", "node": "gpu-7", "username": "mallory"}
    notify(alice, event="alert", details={"labels": own}, job_name="resnet50")
    (alert,) = get(client_of(alice), URL)
    assert alert["labels"] == {**own, "job_name": "resnet50", "username": "alice"}


def test_only_what_is_own_unread_in_the_inbox_recent_and_unresolved_newest_first(
    alice: User, bob: User
) -> None:
    now = timezone.now()
    notify(bob, job_name="not-hers")
    notify(alice, job_name="older")
    gone: list[dict[str, Any]] = [
        {"read_at": now}, {"archived_at": now}, {"in_inbox": False},
        {"created_at": now - timedelta(days=4)}, {"details": {"resolved_at": "2026-11-22T11:12:00+00:00"}},
    ]  # fmt: skip
    for values in gone:
        notify(alice, job_name="not-shown", **values)
    notify(alice, job_name="newer")
    assert summaries(alice) == ["newer failed", "older failed"]


def test_an_administrator_gets_those_of_all_users_also_when_their_owner_has_read_them(
    alice: User, bob: User, root: User
) -> None:
    notify(alice, job_name="hers", read_at=timezone.now())
    notify(bob, job_name="his")
    assert summaries(root) == ["his failed", "hers failed"]


def test_the_list_is_bounded_and_read_along_an_index(alice: User, bob: User, root: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(AS_NEW)
        notify(alice, 3000)
        notify(bob, 5000, read_at=timezone.now())
        cursor.execute("ANALYZE notifications_notification")
        for user, index in ((alice, "folder_unread"), (root, "notifications_notification_pkey")):
            with CaptureQueriesContext(connection) as queries:
                assert len(summaries(user)) == 100
            (sql,) = [q["sql"] for q in queries if 'FROM "notifications_notification"' in q["sql"]]
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert index in plan, plan
            assert "Sort" not in plan, plan


def test_the_bell_of_the_portal_may_ask_with_its_token(alice: User, settings: Settings) -> None:
    settings.PAI_JWT_SECRET = "a-secret-of-the-cluster-that-is-long-enough"
    notify(alice, job_name="resnet50")
    token = jwt.encode({"username": "alice"}, settings.PAI_JWT_SECRET, "HS256")
    for path in (URL, f"{URL}/"):
        answer = client_of().get(path, headers={"Authorization": f"Bearer {token}"})
        assert [one["labels"]["job_name"] for one in answer.json()] == ["resnet50"]
    assert client_of().get(URL).status_code == 401


def test_the_retries_that_a_job_has_had(alice: User) -> None:
    notify(alice, details={"retries": 2})
    (alert,) = get(client_of(alice), URL)
    assert alert["labels"]["retries"] == "2"


def test_an_alert_of_the_monitoring_is_itself_until_it_is_resolved(alice: User) -> None:
    details = {"summary": "GPUs are idle", "labels": {"alertname": "GpuIdle", "severity": "critical"}}
    notify(alice, event="alert", details=details)
    notify(alice, event="alert", details={**details, "resolved_at": "2026-11-22T09:00:00Z"})
    (alert,) = get(client_of(alice), URL)
    assert (alert["labels"]["alertname"], alert["labels"]["severity"]) == ("GpuIdle", "critical")
    assert alert["annotations"]["summary"] == "GPUs are idle"
