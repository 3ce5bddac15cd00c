"""The targets of a user: adding, trying and removing them on the profile page and over REST."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from preferences import encryption, targets
from preferences.kinds import Channel
from preferences.models import ChannelPolicy, SiteSettings, Target
from tests.clients import client_of, get, send
from tests.receiver import Receiver
from tests.targets import add_chat, add_webhook, allow

pytestmark = pytest.mark.django_db

API = "/api/v1/targets/"
NTFY = "ntfys://ntfy.example.org/topic"


def new(name: str = "phone", channel: str = "apprise", address: str = NTFY) -> dict[str, str]:
    return {"channel": channel, "name": name, "address": address}


def posted(browser: Client, **fields: str) -> str:
    """The page after the form was sent."""
    values = {f"target-{name}": value for name, value in {**new(), **fields}.items()}
    return browser.post("/profile/targets/", values, follow=True).content.decode()


class TestOverRest:
    def test_a_chat_service(self, browser: Client) -> None:
        allow(Channel.APPRISE)
        answer = send(browser, "POST", API, new())
        assert answer.status_code == 201
        assert answer.json() == {
            "id": answer.json()["id"], "channel": "apprise", "name": "phone", "service": "ntfy",
            "hint": "ntfy.example.org", "created_at": answer.json()["created_at"], "last_ok_at": None,
            "last_error": "", "failing_since": None, "disabled_at": None, "secret": "",
        }  # fmt: skip
        (listed,) = get(browser, API)
        assert "secret" not in listed
        channels = get(browser, "/api/v1/preferences/")["channels"]
        assert channels["apprise"] | {"events": {}} == {
            "offered": True, "available": True, "why_not": "", "enabled": True, "events": {}
        }  # fmt: skip
        assert browser.delete(f"{API}{listed['id']}/").status_code == 204
        assert get(browser, API) == []

    def test_a_webhook_shows_its_key_once(self, browser: Client) -> None:
        allow(Channel.WEBHOOK)
        answer = send(browser, "POST", API, new(channel="webhook", address="https://example.org/hook")).json()
        assert answer["secret"].startswith("whsec_")
        assert answer["secret"] not in str(get(browser, API))

    def test_a_test(self, alice: User, browser: Client, receiver: Receiver) -> None:
        target, _ = add_webhook(alice, receiver.url)
        url = f"{API}{target.pk}/test/"
        assert send(browser, "POST", url, {}).json() == {"ok": True, "error": ""}
        body = receiver.requests[0].json()
        assert (body["test"], body["id"], body["event"]) == (True, 0, "succeeded")
        again = send(browser, "POST", url, {})
        assert again.status_code == 429
        assert again.headers["Retry-After"] == str(targets.TEST_PAUSE_SECONDS)
        assert len(receiver.requests) == 1
        receiver.status = 500
        Target.objects.update(tested_at=None)
        assert send(browser, "POST", url, {}).json() == {"ok": False, "error": "The other side answered 500."}
        assert get(browser, API)[0]["last_error"] == "The other side answered 500."

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "channel"),
            (new(channel="email"), "channel"),
            (new(channel="pigeon"), "channel"),
            (new(name=""), "name"),
            (new(name="x" * 61), "name"),
            (new(name="a\0b"), "name"),
            (new(address=""), "address"),
            (new(address="x" * 2001), "address"),
            (new(address="slack://nonsense"), "non_field_errors"),
            (new(channel="webhook"), "non_field_errors"),
            ({**new(), "secret": "x"}, "secret"),
            ({**new(), "address": 7}, "address"),
            ([], "non_field_errors"),
        ],
    )
    def test_what_cannot_be_used_is_refused_by_name(self, browser: Client, body: object, field: str) -> None:
        allow(Channel.APPRISE, Channel.WEBHOOK)
        answer = send(browser, "POST", API, body)
        assert answer.status_code == 400
        assert field in answer.json()
        assert not Target.objects.exists()

    def test_no_more_than_ten_and_no_name_twice(self, alice: User, browser: Client) -> None:
        for number in range(targets.MAX_TARGETS - 1):
            add_chat(alice, NTFY, name=f"phone {number}")
        assert "already" in str(send(browser, "POST", API, new(name="phone 0")).json())
        assert send(browser, "POST", API, new(name="the last")).status_code == 201
        assert "remove one first" in str(send(browser, "POST", API, new(name="one too many")).json())
        assert Target.objects.count() == targets.MAX_TARGETS

    def test_nobody_without_a_sign_in(self, alice: User) -> None:
        target, _ = add_webhook(alice, "https://example.org/")
        stranger = client_of()
        for method, url in (("GET", API), ("POST", API), ("DELETE", f"{API}{target.pk}/")):
            assert send(stranger, method, url, {}).status_code == 401
        assert send(stranger, "POST", f"{API}{target.pk}/test/", {}).status_code == 401

    def test_a_browser_needs_its_csrf_token(self, alice: User) -> None:
        browser = client_of(alice, enforce_csrf_checks=True)
        assert send(browser, "POST", API, new()).status_code == 403
        assert browser.post("/profile/targets/", {}).status_code == 403


class TestOnTheProfilePage:
    def test_nothing_is_shown_until_the_admin_allows_it(self, browser: Client) -> None:
        page = browser.get("/profile/").content.decode()
        assert "Chat and webhooks" not in page
        assert 'name="webhook"' not in page
        assert get(browser, "/api/v1/preferences/")["channels"]["webhook"]["offered"] is False
        allow(Channel.WEBHOOK)
        page = browser.get("/profile/").content.decode()
        assert "Chat and webhooks" in page
        assert "You have added nothing for it yet." in page
        assert 'value="apprise"' not in page

    def test_a_policy_that_says_no_is_no(self, browser: Client) -> None:
        ChannelPolicy.objects.create(channel="webhook", enabled=False)
        assert "Chat and webhooks" not in browser.get("/profile/").content.decode()

    def test_add_try_and_remove(self, browser: Client, receiver: Receiver) -> None:
        allow(Channel.APPRISE)
        page = posted(browser, address=f"ntfy://127.0.0.1:{receiver.port}/secret-topic")
        assert "phone is added." in page
        assert "secret-topic" not in page
        key = Target.objects.get().pk
        page = browser.post(f"/profile/targets/{key}/test/", follow=True).content.decode()
        assert "The test was taken by phone" in page
        assert len(receiver.requests) == 1
        page = browser.post(f"/profile/targets/{key}/test/", follow=True).content.decode()
        assert "wait a few seconds" in page
        receiver.status = 403
        Target.objects.update(tested_at=None)
        page = browser.post(f"/profile/targets/{key}/test/", follow=True).content.decode()
        assert "The test has not reached phone. The other side answered 403." in page
        page = browser.post(f"/profile/targets/{key}/remove/", follow=True).content.decode()
        assert "phone is removed." in page
        assert not Target.objects.exists()

    def test_the_key_of_a_webhook_is_shown_once(self, browser: Client) -> None:
        allow(Channel.WEBHOOK)
        values = {f"target-{name}": value for name, value in new(channel="webhook").items()}
        answer = browser.post("/profile/targets/", {**values, "target-address": "https://example.org/hook"})
        assert b"whsec_" in answer.content
        assert "no-store" in answer.headers["Cache-Control"]
        assert b"whsec_" not in browser.get("/profile/").content

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"address": "slack://nonsense"}, "Slack cannot be reached by this address"),
            ({"address": ""}, "This field is required"),
            ({"name": "x" * 61}, "at most 60 characters"),
            ({"channel": "webhook"}, "Select a valid choice"),
        ],
    )
    def test_what_cannot_be_used_is_said_and_kept_in_the_form(
        self, browser: Client, fields: dict[str, str], said: str
    ) -> None:
        allow(Channel.APPRISE)
        page = posted(browser, **fields)
        assert said in page
        assert 'value="phone"' in page or "name" in fields
        assert not Target.objects.exists()

    def test_hostile_names_and_errors_are_text(self, alice: User, browser: Client) -> None:
        add_chat(alice, NTFY, name="<script>alert(1)</script>")
        Target.objects.update(last_error="<img src=x onerror=alert(1)>")
        page = browser.get("/profile/").content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page

    def test_reading_changes_nothing(self, alice: User, browser: Client) -> None:
        target = add_chat(alice, NTFY)
        for action in ("test", "remove"):
            assert browser.get(f"/profile/targets/{target.pk}/{action}/").status_code == 405
        assert Target.objects.exists()


class TestInTheAdmin:
    def test_targets_can_be_seen_and_removed_but_not_read(self, alice: User, root: User) -> None:
        target = add_chat(alice, NTFY)
        admin = client_of(root)
        for url in ("", f"{target.pk}/change/"):
            page = admin.get(f"/admin/preferences/target/{url}").content.decode()
            assert "ntfy.example.org" in page
            assert "topic" not in page
            assert target.secret not in page
        assert admin.get("/admin/preferences/target/add/").status_code == 403
        admin.post(f"/admin/preferences/target/{target.pk}/delete/", {"post": "yes"})
        assert not Target.objects.exists()

    def test_the_list_of_services(self, root: User, alice: User) -> None:
        admin = client_of(root)
        SiteSettings.objects.create()
        page = admin.get("/admin/preferences/sitesettings/1/change/").content.decode()
        assert "Rocket.Chat" in page
        assert 'value="slack"' in page


class TestKeys:
    def test_a_key_is_replaced_without_a_gap(self, alice: User, settings: Settings) -> None:
        target = add_chat(alice, NTFY)
        first, second = encryption.new_key(), encryption.new_key()
        for keys in ([first], [second, first], [second]):
            settings.ENCRYPTION_KEYS = keys
            target.refresh_from_db()
            assert targets.secret_of(target) == NTFY
            call_command("encryption_keys", "renew", stdout=StringIO())
        settings.SECRET_KEY = "another"
        target.refresh_from_db()
        assert targets.secret_of(target) == NTFY
        settings.ENCRYPTION_KEYS = [first]
        with pytest.raises(encryption.UnreadableError):
            targets.secret_of(target)
        with pytest.raises(CommandError, match="1 cannot be read"):
            call_command("encryption_keys", "renew", stdout=StringIO())
        target.refresh_from_db()
        settings.ENCRYPTION_KEYS = [second]
        assert targets.secret_of(target) == NTFY

    def test_the_command_makes_a_key_that_can_be_used(self, alice: User, settings: Settings) -> None:
        out = StringIO()
        call_command("encryption_keys", "make", stdout=out)
        settings.ENCRYPTION_KEYS = [out.getvalue().strip()]
        assert encryption.decrypt(encryption.encrypt("über")) == "über"
