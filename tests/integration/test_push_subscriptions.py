"""A user's browsers: adding, renewing and removing them over REST; the service worker; the command that makes keys."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from notifications import own_browsers, vapid
from preferences import browsers
from preferences.encryption import decrypt
from preferences.kinds import Channel
from preferences.models import Target
from tests.clients import client_of, get, send
from tests.push import CONTACT, FIREFOX, KEY, Browser, add_browser
from tests.targets import add_webhook, allow, make_target_delivery

pytestmark = pytest.mark.django_db

API = "/api/v1/push-subscriptions/"
RENEW = f"{API}renew/"


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY, settings.VAPID_CONTACT = KEY, CONTACT


@pytest.fixture
def browser() -> Browser:
    return Browser("https://push.example.net/send/abc")


def add(user: User, browser: Browser, **more: Any) -> Any:
    return send(
        client_of(user, headers={"User-Agent": FIREFOX}), "POST", API, {**browser.subscription, **more}
    )


class TestAdding:
    def test_a_browser(self, alice: User, browser: Browser) -> None:
        allow(Channel.WEBPUSH)
        answer = add(alice, browser)
        assert answer.status_code == 201
        assert answer.json() == {
            "id": answer.json()["id"], "channel": "webpush", "name": "Firefox, Linux", "service": "Web Push",
            "hint": "push.example.net", "created_at": answer.json()["created_at"], "last_ok_at": None,
            "last_error": "", "failing_since": None, "disabled_at": None,
            "digest": browsers.digest_of(browser.endpoint),
        }  # fmt: skip
        listed = get(client_of(alice), API)
        assert listed["application_server_key"] == vapid.public_key(KEY)
        assert listed["subscriptions"] == [answer.json()]
        assert [one["channel"] for one in get(client_of(alice), "/api/v1/targets/")] == ["webpush"]
        channel = get(client_of(alice), "/api/v1/preferences/")["channels"]["webpush"]
        assert channel["available"] is True
        assert client_of(alice).delete(f"/api/v1/targets/{answer.json()['id']}/").status_code == 204
        assert get(client_of(alice), API)["subscriptions"] == []

    def test_the_same_again_stays_one_and_is_like_new(self, alice: User, browser: Browser) -> None:
        target = add_browser(alice, browser)
        Target.objects.update(last_error="The other side answered 503.")
        again = add(alice, Browser(browser.endpoint, auth=b"another secret!!"))
        assert again.json()["id"] == target.pk
        assert again.json()["last_error"] == ""
        assert json.loads(decrypt(Target.objects.get().secret))["auth"] == vapid.encode(b"another secret!!")

    def test_names_are_told_apart(self, alice: User, browser: Browser) -> None:
        allow(Channel.WEBPUSH)
        names = [add(alice, Browser(f"{browser.endpoint}{n}")).json()["name"] for n in range(3)]
        assert names == ["Firefox, Linux", "Firefox, Linux 2", "Firefox, Linux 3"]
        assert add(alice, browser, name="x" * 60).json()["name"] == "x" * 60
        assert add(alice, Browser(f"{browser.endpoint}9"), name="x" * 60).json()["name"] == "x" * 58 + " 2"

    def test_a_browser_belongs_to_who_has_added_it_last(
        self, alice: User, bob: User, browser: Browser
    ) -> None:
        """Two people at one computer: what waits for the first is not shown to the second."""
        delivery = make_target_delivery(add_browser(alice, browser))
        target = add_browser(bob, browser)
        assert target.pk != delivery.target_id
        assert get(client_of(alice), API)["subscriptions"] == []
        assert [one["id"] for one in get(client_of(bob), API)["subscriptions"]] == [target.pk]

    def test_at_most_ten_beside_ten_targets(self, alice: User, browser: Browser) -> None:
        for number in range(10):
            add_browser(alice, Browser(f"{browser.endpoint}{number}"))
            add_webhook(alice, "https://example.org/", name=f"hook {number}")
        answer = add(alice, browser)
        assert answer.status_code == 400
        assert answer.json() == {"non_field_errors": ["You have 10 browsers already; remove one first."]}
        assert add(alice, Browser(f"{browser.endpoint}3")).status_code == 201  # one of the ten

    def test_off_or_without_keys(self, alice: User, browser: Browser, settings: Settings) -> None:
        answer = add(alice, browser)
        assert answer.status_code == 400
        assert "switched this channel off" in answer.content.decode()
        allow(Channel.WEBPUSH)
        settings.VAPID_PRIVATE_KEY = ""
        answer = add(alice, browser)
        assert answer.status_code == 400
        assert "no keys" in answer.content.decode()
        assert get(client_of(alice), API)["application_server_key"] == ""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"endpoint": "http://push.example.net/x"}, {"endpoint": ""}, {"endpoint": "x"}, {"endpoint": None},
            {"endpoint": "https://user:pw@push.example.net/"}, {"endpoint": "https://push.example.net/\r\nX: y"},
            {"endpoint": "https://" + "a" * 3000}, {"endpoint": 7}, {"endpoint": "file:///etc/passwd"},
            {"keys": {}}, {"keys": None}, {"keys": {"p256dh": "", "auth": ""}}, {"keys": []},
            {"keys": {"p256dh": "A" * 87, "auth": vapid.encode(b"0" * 16)}},
            {"keys": {"p256dh": "!" * 87, "auth": vapid.encode(b"0" * 16)}},
            {"keys": {"p256dh": vapid.encode(Browser("").point), "auth": "c2hvcnQ"}},
            {"keys": {"p256dh": vapid.encode(Browser("").point), "auth": "c2hvcnQ\ud800"}},
            {"unknown": 1}, {"name": "x" * 61}, {"name": "\ud800"},
        ],
    )  # fmt: skip
    def test_what_is_none(self, alice: User, browser: Browser, wrong: dict[str, Any]) -> None:
        allow(Channel.WEBPUSH)
        assert add(alice, browser, **wrong).status_code == 400
        assert not Target.objects.exists()

    def test_a_typed_in_target_cannot_be_one(self, alice: User, browser: Browser) -> None:
        allow(Channel.WEBPUSH)
        body = {"channel": "webpush", "name": "x", "address": json.dumps(browser.subscription)}
        assert send(client_of(alice), "POST", "/api/v1/targets/", body).status_code == 400


class TestRenewing:
    def renewal(self, old: Browser, new: Browser) -> dict[str, Any]:
        auth = old.subscription["keys"]["auth"]
        return {"old": {"endpoint": old.endpoint, "auth": auth}, "new": new.subscription}

    def test_the_browser_stays_the_same(self, alice: User, browser: Browser) -> None:
        target = add_browser(alice, browser)
        new = Browser("https://other.example.net/xyz", auth=b"another secret!!")
        assert send(client_of(), "POST", RENEW, self.renewal(browser, new)).status_code == 204
        after = Target.objects.get()
        assert (after.pk, after.hint, after.name) == (target.pk, "other.example.net", target.name)
        assert json.loads(decrypt(after.secret)) == {
            "endpoint": new.endpoint, "auth": vapid.encode(new.auth), "p256dh": vapid.encode(new.point),
        }  # fmt: skip
        assert send(client_of(), "POST", RENEW, self.renewal(browser, new)).status_code == 404

    def test_who_does_not_know_the_secret_gets_nowhere(
        self, alice: User, bob: User, browser: Browser
    ) -> None:
        add_browser(alice, browser)
        before = Target.objects.values().get()
        thief = Browser(browser.endpoint, auth=b"guessed guessed!")
        new = Browser("https://thief.example.net/")
        assert send(client_of(bob), "POST", RENEW, self.renewal(thief, new)).status_code == 404
        assert Target.objects.values().get() == before

    def test_what_is_none(self, alice: User, browser: Browser) -> None:
        add_browser(alice, browser)
        inside = Browser("http://127.0.0.1/")
        good = self.renewal(browser, browser)
        bodies: list[Any] = [{}, {"old": {}}, [], self.renewal(browser, inside), {**good, "x": 1}]
        for body in bodies:
            assert send(client_of(), "POST", RENEW, body).status_code == 400

    def test_a_lost_key_is_no_error(self, alice: User, browser: Browser, settings: Settings) -> None:
        add_browser(alice, browser)
        settings.SECRET_KEY = "another"
        assert send(client_of(), "POST", RENEW, self.renewal(browser, browser)).status_code == 404


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
         "Safari/537.36 Edg/141.0.0.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile "
         "Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 "
         "Safari/605.1.15", "Safari, macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/26.0 Mobile/15E148 Safari/604.1", "Safari, iOS"),
        ("<script>alert(1)</script>", "Browser"),
        ("", "Browser"),
    ],
)  # fmt: skip
def test_how_a_browser_is_called(header: str, name: str) -> None:
    assert own_browsers.describe(header) == name


def test_the_worker_is_served_at_the_root_and_never_stale(browser: Browser) -> None:
    answer = Client().get("/push-worker.js")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/javascript"
    assert "no-cache" in answer["Cache-Control"]
    assert "worker-src 'self'" in answer["Content-Security-Policy"]
    assert b"pushsubscriptionchange" in answer.getvalue()


def test_the_command_prints_what_can_be_set() -> None:
    out, err = StringIO(), StringIO()
    call_command("vapid_keys", stdout=out, stderr=err)
    key, contact = (line.partition("=")[2] for line in out.getvalue().splitlines())
    vapid.check_private_key(key)
    vapid.check_contact(contact)
    assert len(vapid.decode(vapid.public_key(key))) == 65


def test_the_page_shows_browsers_apart_from_targets(alice: User, browser: Browser) -> None:
    add_browser(alice, browser, name="<b>my laptop</b>")
    add_webhook(alice, "https://example.org/")
    page = client_of(alice).get("/profile/").content.decode()
    assert (
        page.index('id="browsers"') < page.index("&lt;b&gt;my laptop&lt;/b&gt;") < page.index('id="targets"')
    )
    assert "<b>my laptop" not in page
    target = browsers.of(alice).get()
    assert client_of(alice).post(f"/profile/targets/{target.pk}/remove/")["Location"] == "/profile/#browsers"
    assert "my laptop" not in client_of(alice).get("/profile/").content.decode()


def test_without_permission_nothing_of_it_is_shown(alice: User) -> None:
    page = client_of(alice).get("/profile/").content.decode()
    assert 'id="browsers"' not in page
    assert "push.js" not in page
