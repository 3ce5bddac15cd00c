"""From a changed row to a frame at the client: poller, web process and PostgreSQL are the real ones."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from django.contrib.auth.models import User
from websockets.exceptions import ConnectionClosed

from notifications import inbox
from notifications.live import HEARTBEAT_SECONDS
from notifications.models import Notification
from tests.asgi.conftest import session_of, socket
from tests.asgi.inprocess import announce, store
from tests.cluster import ALL_EVENTS, RESET, submit, told, update
from tests.processes import Process, daphne, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_failed_job_rings_the_owners_bell(web: str, alice: User, bob: User) -> None:
    name = submit("resnet50-lr3")
    with socket(web, alice) as hers, socket(web, bob) as his:
        assert hers.frame() == {"type": "hello", "user": "alice", "unread": 0, "more": False, "last_id": 0}
        assert his.frame()["unread"] == 0
        update(name, state="FAILED", appExitCode=255)
        frame = hers.frame("notification")
        assert (frame["unread"], frame["more"]) == (1, False)
        one = frame["notification"]
        assert one["event"] == "failed"
        assert one["title"].startswith("resnet50-lr3 failed")
        assert one["job"] == {
            "name": "resnet50-lr3",
            "framework": name,
            "username": "alice",
            "virtual_cluster": "default",
        }
        address = f"{web}/api/v1/notifications/{one['id']}/"
        assert one == requests.get(address, cookies={"sessionid": session_of(alice)}, timeout=20).json()
        his.send("?")
        assert his.frame()["type"] == "error", "the stranger has got nothing before"


def test_events_of_one_interval_arrive_in_order(web: str, alice: User) -> None:
    with socket(web, alice) as client:
        client.frame("hello")
        name = submit(**ALL_EVENTS)
        for step in ({"state": "RUNNING"}, {"retries": 1}, RESET, {"state": "SUCCEEDED"}):
            update(name, **step)
        frames = [client.frame("notification") for _ in range(3)]
        assert [frame["notification"]["event"] for frame in frames] == ["running", "retried", "succeeded"]
        assert [frame["unread"] for frame in frames][-1] == 3


def test_what_is_read_in_one_tab_is_read_in_the_other(web: str, alice: User) -> None:
    with socket(web, alice) as one, socket(web, alice) as other:
        update(submit(), state="FAILED")
        (number,) = one.ids(1)
        other.ids(1)
        one.send({"type": "read", "ids": [number]})
        for tab in (one, other):
            assert tab.frame("state") == {"type": "state", "unread": 0, "more": False, "last_id": number}
    assert Notification.objects.get().read_at is not None


def test_the_state_comes_every_30_seconds_without_any_change(web: str, alice: User) -> None:
    with socket(web, alice) as client:
        client.frame("hello")
        beat = client.frame(seconds=HEARTBEAT_SECONDS + 5)
    assert beat == {"type": "state", "unread": 0, "more": False, "last_id": 0, "heartbeat": True}


def test_two_web_processes_are_in_step(web: str, alice: User, tmp_path: Path) -> None:
    with daphne(tmp_path) as (second, _), socket(web, alice) as one, socket(second, alice) as other:
        one.frame("hello")
        other.frame("hello")
        update(submit(), state="FAILED")
        (number,) = one.ids(1)
        assert other.ids(1) == [number]
        other.send({"type": "read", "up_to": number})
        assert one.frame("state")["unread"] == 0
        assert other.frame("state")["unread"] == 0


def test_reading_over_rest_reaches_the_sockets(web: str, alice: User) -> None:
    with socket(web, alice) as client:
        for job in ("a", "b", "c"):
            update(submit(job), state="FAILED")
        ids = client.ids(3)
        inbox.mark_read(user_id=alice.pk, up_to=ids[1])
        assert client.frame("state")["unread"] == 1


def fail_jobs(stem: str, count: int) -> None:
    for number in range(count):
        update(submit(f"{stem}-{number}"), state="FAILED")


def test_resume_sends_what_was_missed_once_and_in_order(web: str, alice: User) -> None:
    with socket(web, alice) as client:
        update(submit("first"), state="FAILED")
        (seen,) = client.ids(1)
    fail_jobs("missed", 20)
    wait_for(lambda: len(told()) == 21)
    with ThreadPoolExecutor() as pool, socket(web, alice) as client:
        live = pool.submit(fail_jobs, "live", 20)
        assert client.frame("hello")["last_id"] >= seen + 20
        client.send({"type": "resume", "after": seen})
        ids = client.ids(40)
        live.result()
    assert ids == list(Notification.objects.filter(id__gt=seen).order_by("id").values_list("id", flat=True))


def test_too_much_missed_is_a_resync(web: str, alice: User) -> None:
    Notification.objects.bulk_create(
        Notification(user=alice, event="failed", framework_name=f"f{n}", submission_time="2026-01-01T00:00Z",
                     job_name="j", occurred_at="2026-01-01T00:00Z")
        for n in range(101)
    )  # fmt: skip
    with socket(web, alice) as client:
        hello = client.frame("hello")
        assert (hello["unread"], hello["more"]) == (99, True)
        client.send({"type": "resume", "after": 0})
        assert client.frame() == {"type": "resync"}
        client.send({"type": "resume", "after": hello["last_id"] - 2})
        assert client.ids(2) == [hello["last_id"] - 1, hello["last_id"]]


def test_a_foreign_notification_cannot_be_read(web: str, alice: User, bob: User) -> None:
    update(submit(), state="FAILED")
    wait_for(lambda: told())
    foreign = Notification.objects.get()
    with socket(web, bob) as client:
        client.frame("hello")
        client.send({"type": "read", "ids": [foreign.pk]})
        client.send({"type": "read", "up_to": foreign.pk})
        client.send({"type": "resume", "after": 0})
        client.send("?")
        assert client.frame()["type"] == "error"
    foreign.refresh_from_db()
    assert foreign.read_at is None


def test_hostile_names_are_carried_as_text(web: str, alice: User) -> None:
    job = '<img src=x onerror=alert(1)>\r\nBcc: "x"'
    with socket(web, alice) as client:
        client.frame("hello")
        update(submit(job), state="FAILED")
        one = client.frame("notification")["notification"]
    assert one["job"]["name"] == job
    assert "\n" not in one["title"]
    assert json.dumps(one)


def test_a_muted_web_portal_rings_no_bell(web: str, alice: User) -> None:
    alice.channel_preferences.create(channel="webportal", enabled=False)
    with socket(web, alice) as client:
        client.frame("hello")
        update(submit("silent"), state="FAILED")
        wait_for(lambda: told())
        alice.channel_preferences.all().delete()
        update(submit("loud"), state="FAILED")
        frame = client.frame()
    assert frame["notification"]["job"]["name"] == "loud"
    assert frame["unread"] == 1


def test_who_does_not_read_is_let_go_and_misses_nothing(
    web: str, web_process: tuple[str, Process], alice: User
) -> None:
    """More waits for her than the kernel's buffers hold; another of her sockets reads at once."""
    details = {"diagnostics": "all of it\n" * 60_000}
    ids: list[int] = []
    with socket(web, alice) as prompt, socket(web, alice, max_queue=1) as idle:
        prompt.frame("hello")
        idle.frame("hello")
        while "closed, since its client does not read client=127.0.0.1" not in web_process[1].log:
            new = store(alice, 8, details=details)
            announce()
            assert prompt.ids(8) == new
            ids += new
        with pytest.raises(ConnectionClosed):
            idle.ids(len(ids))
    with socket(web, alice) as again:
        again.frame("hello")
        again.send({"type": "resume", "after": ids[-9]})
        assert again.ids(8) == ids[-8:]


def test_a_long_story_arrives_live_and_from_the_backlog(web: str, alice: User) -> None:
    """Longer than what a client may send. In a frame a control character takes six times its room."""
    details = {"diagnostics": "\x1b" * 4096, "reason": "出错" * 300}
    with socket(web, alice) as client:
        client.frame("hello")
        (number,) = store(alice, details=details)
        announce()
        assert client.frame("notification")["notification"]["details"] == details
    with socket(web, alice) as again:
        again.frame("hello")
        again.send({"type": "resume", "after": number - 1})
        assert again.frame("notification")["notification"]["details"] == details
