"""The REST of notifications, line by line of the contract; owner, other user and stranger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from notifications import inbox
from notifications.models import Notification
from tests.clients import client_of, get, send
from tests.inbox import LIST, MARK_READ, START, UNREAD, ids, notify

pytestmark = pytest.mark.django_db


class TestList:
    def test_it_has_the_shape_of_the_contract(self, browser: Client, alice: User, settings: Settings) -> None:
        settings.BASE_URL = "https://nc.example.org"
        (number,) = notify(alice, details={"exit_code": 137, "why": "killed"}, ordinal=0)
        page = get(browser, LIST)
        assert set(page) == {"next", "previous", "results"}
        (one,) = page["results"]
        assert set(one) == {
            "id", "event", "title", "summary", "job", "group", "ordinal", "occurred_at", "created_at", "read_at",
            "archived_at", "saved", "snoozed_until", "returned_at", "muted", "muted_until", "url", "details",
        }  # fmt: skip
        assert (one["id"], one["event"], one["ordinal"]) == (number, "failed", 0)
        assert one["job"] == {
            "name": "job-0", "framework": "framework-0", "username": "alice", "virtual_cluster": "default",
        }  # fmt: skip
        assert one["url"] == "https://nc.example.org/jobs/framework-0/"
        assert datetime.fromisoformat(one["occurred_at"]) == START
        assert datetime.fromisoformat(one["created_at"]).tzinfo is not None
        assert one["read_at"] is one["archived_at"] is None
        assert one["details"]["exit_code"] == 137
        assert get(browser, f"{LIST}{number}/") == one

    def test_pages_hold_everything_once_newest_first(self, browser: Client, alice: User) -> None:
        made = notify(alice, 25)
        found, address = [], f"{LIST}?page_size=10"
        while address:
            page = get(browser, address)
            assert len(page["results"]) <= 10
            found += ids(page)
            address = page["next"]
        assert found == made[::-1]
        assert ids(get(browser, page["previous"])) == made[5:15][::-1]

    def test_a_page_does_not_shift_when_something_new_arrives(self, browser: Client, alice: User) -> None:
        made = notify(alice, 4)
        first = get(browser, LIST, page_size=2)
        notify(alice, 3)
        assert ids(first) + ids(get(browser, first["next"])) == made[::-1]

    def test_after_gives_what_is_newer_oldest_first(self, browser: Client, alice: User) -> None:
        made = notify(alice, 7)
        first = get(browser, LIST, after=made[1], page_size=3)
        assert ids(first) == made[2:5]
        assert ids(get(browser, first["next"])) == made[5:]
        assert ids(get(browser, LIST, after=made[-1])) == []
        assert ids(get(browser, LIST, after=0)) == made

    def test_filters(self, browser: Client, alice: User) -> None:
        now = datetime.now(UTC)
        (failed,) = notify(alice, framework_name="f1", job_name="ResNet50")
        (running,) = notify(alice, framework_name="f1", job_name="ResNet50", event="running", read_at=now)
        (stopped,) = notify(alice, framework_name="f2", job_name="bert_100%", event="stopped")
        (archived,) = notify(alice, framework_name="f2", job_name="bert", archived_at=now)
        notify(alice, in_inbox=False)
        assert ids(get(browser, LIST)) == [stopped, running, failed]
        assert ids(get(browser, LIST, unread="true")) == [stopped, failed]
        assert ids(get(browser, LIST, unread="false")) == [stopped, running, failed]
        assert ids(get(browser, LIST, archived="true")) == [archived]
        assert ids(get(browser, LIST, event="running")) == [running]
        assert ids(get(browser, LIST, event=["running", "stopped"])) == [stopped, running]
        assert (
            ids(get(browser, LIST, job="f1")) == ids(get(browser, LIST, job="ResNet50")) == [running, failed]
        )
        assert ids(get(browser, LIST, job="ResNet")) == []
        assert ids(get(browser, LIST, q="resnet")) == [running, failed]
        assert ids(get(browser, LIST, q="%")) == ids(get(browser, LIST, q="_")) == [stopped]
        assert ids(get(browser, LIST, q="' OR 1=1 --")) == []
        assert ids(get(browser, LIST, q="bert", unread="true", event="stopped")) == [stopped]

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("unraed=true", "unraed"),
            ("unread=perhaps", "unread"),
            ("archived=2", "archived"),
            ("event=exploded", "event"),
            ("event=failed&event=", "event"),
            ("after=-1", "after"),
            ("after=x", "after"),
            ("after=", "after"),
            ("after=99999999999999999999", "after"),
            ("page_size=0", "page_size"),
            ("page_size=101", "page_size"),
            ("page_size=many", "page_size"),
            ("job=%00", "job"),
            ("q=%00", "q"),
            ("q=" + "x" * 257, "q"),
            ("cursor=rubbish", "cursor"),
            ("cursor=cD1hYmM%3D", "cursor"),  # a position that is no id
            ("cursor=cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk%3D", "cursor"),  # too large to be one
            ("cursor=%00", "cursor"),
        ],
    )
    def test_a_query_that_cannot_be_used_is_named(
        self, browser: Client, alice: User, query: str, name: str
    ) -> None:
        notify(alice, 3)
        answer = browser.get(f"{LIST}?{query}")
        assert answer.status_code == 400
        assert list(answer.json()) == [name]

    def test_hostile_names_stay_text(self, browser: Client, alice: User) -> None:
        for name in ("<img src=x onerror=alert(1)>", "x" * 256, "two\nlines", "a\r\nBcc: b@example.org", ""):
            notify(alice, job_name=name)
        page = get(browser, LIST)
        assert [one["job"]["name"] for one in page["results"]][3] == "x" * 256
        for one in page["results"]:
            assert "\n" not in one["title"]
            assert "\r" not in one["title"]
            assert one["title"]

    def test_its_cost_does_not_grow_with_the_inbox(
        self, browser: Client, alice: User, django_assert_max_num_queries: Any
    ) -> None:
        notify(alice, 60)
        with django_assert_max_num_queries(
            7
        ):  # session, user, language, what came back, the page, its rows, mutes
            get(browser, LIST, page_size=50)


class TestOne:
    def test_it_is_marked_and_archived_and_taken_back(self, browser: Client, alice: User) -> None:
        (number,) = notify(alice)
        address = f"{LIST}{number}/"
        read = send(browser, "PATCH", address, {"read": True}).json()
        assert read["read_at"]
        assert send(browser, "PATCH", address, {"archived": True}).json()["read_at"] == read["read_at"]
        assert ids(get(browser, LIST)) == []
        both = send(browser, "PATCH", address, {"read": False, "archived": False}).json()
        assert both["read_at"] is both["archived_at"] is None
        assert send(browser, "PATCH", address, {}).json() == both

    @pytest.mark.parametrize("body", [{"red": True}, {"id": 1}, {"read": True, "event": "running"}])
    def test_an_unknown_field_is_named(self, browser: Client, alice: User, body: dict[str, Any]) -> None:
        (number,) = notify(alice)
        answer = send(browser, "PATCH", f"{LIST}{number}/", body)
        assert answer.status_code == 400
        assert set(answer.json()) == set(body) - {"read"}
        assert Notification.objects.get().read_at is None

    @pytest.mark.parametrize("value", ["true", 1, None, [], {}, "yes"])
    def test_a_wrong_type_is_refused(self, browser: Client, alice: User, value: Any) -> None:
        (number,) = notify(alice)
        answer = send(browser, "PATCH", f"{LIST}{number}/", {"read": value})
        assert (answer.status_code, list(answer.json())) == (400, ["read"])

    @pytest.mark.parametrize("body", [[], "x", None, 5, [{"read": True}]])
    def test_a_body_that_is_no_object_is_refused(self, browser: Client, alice: User, body: Any) -> None:
        (number,) = notify(alice)
        assert send(browser, "PATCH", f"{LIST}{number}/", body).status_code == 400

    def test_a_foreign_one_does_not_exist(self, alice: User, bob: User, root: User) -> None:
        (number,) = notify(alice)
        for other in (bob, root):
            client = client_of(other)
            foreign, none = client.get(f"{LIST}{number}/"), client.get(f"{LIST}{number + 1}/")
            assert foreign.status_code == none.status_code == 404
            assert foreign.json() == none.json()
            assert send(client, "PATCH", f"{LIST}{number}/", {"read": True}).status_code == 404
            assert ids(get(client, LIST)) == []
        assert Notification.objects.get().read_at is None

    def test_one_that_is_not_for_the_web_portal_does_not_exist(self, browser: Client, alice: User) -> None:
        (number,) = notify(alice, in_inbox=False)
        assert browser.get(f"{LIST}{number}/").status_code == 404

    @pytest.mark.parametrize("number", ["99999999999999999999999", "0", "-1", "x"])
    def test_no_id_is_an_error_of_ours(self, browser: Client, number: str) -> None:
        assert browser.get(f"{LIST}{number}/").status_code == 404


class TestMarkRead:
    def test_by_ids(self, browser: Client, alice: User) -> None:
        made = notify(alice, 5)
        answer = send(browser, "POST", MARK_READ, {"ids": [*made[:2], 999_999]})
        assert (answer.status_code, answer.json()) == (200, {"unread": 3})
        assert send(browser, "POST", MARK_READ, {"ids": []}).json() == {"unread": 3}

    def test_marking_many_goes_on_until_all_are_marked(
        self, browser: Client, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inbox, "MARK_CHUNK_ROWS", 2)
        made = notify(alice, 6)
        assert send(browser, "POST", MARK_READ, {"up_to": made[4]}).json() == {"unread": 1}

    def test_up_to_an_id_that_need_not_exist(self, browser: Client, alice: User) -> None:
        made = notify(alice, 5)
        assert send(browser, "POST", MARK_READ, {"up_to": made[2]}).json() == {"unread": 2}
        assert send(browser, "POST", MARK_READ, {"up_to": 2**63 - 1}).json() == {"unread": 0}
        assert send(browser, "POST", MARK_READ, {"up_to": 0}).json() == {"unread": 0}

    def test_again_it_keeps_the_first_time(self, browser: Client, alice: User) -> None:
        made = notify(alice)
        send(browser, "POST", MARK_READ, {"ids": made})
        first = Notification.objects.get().read_at
        send(browser, "POST", MARK_READ, {"ids": made})
        send(browser, "POST", MARK_READ, {"up_to": made[0]})
        assert Notification.objects.get().read_at == first

    def test_foreign_ones_stay_unread(self, browser: Client, alice: User, bob: User) -> None:
        foreign = notify(bob, 3)
        assert send(browser, "POST", MARK_READ, {"ids": foreign}).json() == {"unread": 0}
        assert send(browser, "POST", MARK_READ, {"up_to": foreign[-1]}).json() == {"unread": 0}
        assert not Notification.objects.exclude(read_at=None).exists()

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"ids": [1], "up_to": 1}, {"ids": 1}, {"ids": ["x"]}, {"ids": [None]}, {"ids": [True]},
            {"ids": [1.5]}, {"ids": [[1]]}, {"ids": {"0": 1}}, {"ids": list(range(501))}, {"ids": [-1]},
            {"ids": [2**63]}, {"up_to": "x"}, {"up_to": None}, {"up_to": True}, {"up_to": -1}, {"up_to": 2**63},
            {"up_to": [1]}, {"all": True}, {"ids": [1], "x": 1}, [], [1], "x", None, 7,
        ],
    )  # fmt: skip
    def test_anything_else_is_refused(self, browser: Client, alice: User, body: Any) -> None:
        notify(alice, 3)
        answer = send(browser, "POST", MARK_READ, body)
        assert answer.status_code == 400
        assert answer.json()
        assert get(browser, UNREAD)["unread"] == 3


class TestUnread:
    @pytest.mark.parametrize(
        ("count", "unread", "more"), [(0, 0, False), (99, 99, False), (100, 99, True), (130, 99, True)]
    )
    def test_it_is_capped(
        self, browser: Client, alice: User, bob: User, count: int, unread: int, more: bool
    ) -> None:
        made = notify(alice, count)
        notify(bob, 2)
        notify(alice, read_at=START)
        notify(alice, archived_at=START)
        last = Notification.objects.filter(user=alice).latest("id").pk
        notify(alice, in_inbox=False)
        assert get(browser, UNREAD) == {"unread": unread, "more": more, "last_id": last}
        assert send(browser, "POST", MARK_READ, {"ids": made[:1]}).json()["unread"] <= 99
