"""Web Push: what a browser's push service gets, what the browser reads, and what the service's answers lead to."""

from __future__ import annotations

import re
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django.fixtures import Settings

from notifications import own_browsers, own_targets
from notifications.delivery import sender
from notifications.delivery.push_message import MAX_BYTES
from notifications.vapid import encode
from preferences import browsers
from preferences.encryption import decrypt
from preferences.models import Target, UserPreference
from tests.clients import client_of
from tests.deliveries import OCCURRED, reloaded, seconds_until_due
from tests.push import CONTACT, Browser, add_browser, claims_of
from tests.push_service import _keys, browser, one_service, paths, send_all, service
from tests.receiver import Receiver
from tests.targets import make_target_delivery

__all__ = ["_keys", "browser", "one_service", "paths", "service"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("breaker", "_keys")]


class TestWhatIsSent:
    def test_what_the_browser_reads(self, alice: User, service: Receiver, browser: Browser) -> None:
        target = add_browser(alice, browser)
        delivery = make_target_delivery(target, details={"why": "out of GPU memory", "exit_code": 137})
        send_all()
        assert reloaded(delivery).state == "sent"
        (request,) = service.requests
        message = browser.read(request.body)
        assert message == {
            "title": "resnet50-lr3 failed: out of GPU memory",
            "body": message["body"],
            "url": f"http://127.0.0.1:8000/jobs/{delivery.notification.framework_name}/",
            "tag": request.headers["Topic"],
            "timestamp": int(OCCURRED.timestamp() * 1000),
            "lang": "en",
        }
        assert message["body"].startswith("Exit code 137")
        assert Target.objects.get().last_ok_at is not None

    def test_how_the_service_is_asked(self, alice: User, service: Receiver, browser: Browser) -> None:
        """RFC 8030, 5; RFC 8291, 4; RFC 8292, 3."""
        make_target_delivery(add_browser(alice, browser))
        send_all()
        (request,) = service.requests
        assert request.path == "/push/abc?x=1"
        assert request.headers["Content-Encoding"] == "aes128gcm"
        assert request.headers["TTL"] == "86400"
        assert request.headers["Urgency"] == "high"
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", request.headers["Topic"])
        claims = claims_of(request, audience=f"https://localhost:{service.port}")
        assert claims["sub"] == CONTACT
        assert 0 < claims["exp"] - time.time() <= 24 * 60 * 60
        assert b"resnet50" not in request.body

    @pytest.mark.parametrize(
        ("event", "urgency"),
        [("failed", "high"), ("alert", "high"), ("running", "normal"), ("succeeded", "normal")],
    )
    def test_what_is_pressing(
        self, alice: User, service: Receiver, browser: Browser, event: str, urgency: str
    ) -> None:
        make_target_delivery(add_browser(alice, browser), event=event)
        send_all()
        assert service.requests[0].headers["Urgency"] == urgency

    def test_one_topic_a_job(self, alice: User, service: Receiver, browser: Browser) -> None:
        target = add_browser(alice, browser)
        for framework, event in (("a" * 32, "running"), ("a" * 32, "failed"), ("b" * 32, "failed")):
            make_target_delivery(target, framework_name=framework, event=event)
        send_all()
        first, second, third = (request.headers["Topic"] for request in service.requests)
        assert first == second != third

    def test_in_the_readers_language(self, alice: User, service: Receiver, browser: Browser) -> None:
        UserPreference.objects.create(user=alice, language="zh-hans")
        make_target_delivery(add_browser(alice, browser))
        send_all()
        message = browser.read(service.requests[0].body)
        assert message["title"] == "resnet50-lr3 失败"
        assert message["lang"] == "zh-hans"

    def test_the_longest_text_of_all_fits(self, alice: User, service: Receiver, browser: Browser) -> None:
        name = "𝕁" * 256
        details = {"why": "𝕎" * 500, "task": "𝕋" * 5000, "exit_code": 1}
        make_target_delivery(add_browser(alice, browser), job_name=name, details=details)
        send_all()
        plain = browser.decrypt(service.requests[0].body)
        assert len(plain) <= MAX_BYTES
        assert "𝕁…𝕁" in browser.read(service.requests[0].body)["title"]

    def test_to_each_browser_with_its_own_key(self, alice: User, service: Receiver, browser: Browser) -> None:
        other = Browser(browser.endpoint.replace("abc", "def"), auth=b"fedcba9876543210")
        for one in (browser, other):
            make_target_delivery(add_browser(alice, one))
        send_all()
        for request in service.requests:
            reader = browser if request.path.startswith("/push/abc") else other
            assert reader.read(request.body)["title"]
        assert len(service.requests) == 2


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "state"),
        [
            (200, "sent"), (201, "sent"), (202, "sent"), (400, "failed"), (401, "failed"), (403, "failed"),
            (413, "failed"), (429, "retry"), (500, "retry"), (503, "retry"), (301, "failed"),
        ],
    )  # fmt: skip
    def test_what_each_leads_to(
        self, alice: User, service: Receiver, browser: Browser, status: int, state: str
    ) -> None:
        target = add_browser(alice, browser)
        delivery = make_target_delivery(target)
        service.status = status
        sender.deliver_once()
        assert reloaded(delivery).state == state
        assert Target.objects.get().last_error == reloaded(delivery).last_error

    @pytest.mark.parametrize("status", [404, 410])
    def test_a_browser_that_is_gone_is_removed(
        self, alice: User, service: Receiver, browser: Browser, status: int
    ) -> None:
        target = add_browser(alice, browser)
        first, second = make_target_delivery(target), make_target_delivery(target)
        service.status = status
        sender.deliver_once()
        assert [reloaded(one).state for one in (first, second)] == ["failed", "dropped"]
        assert not Target.objects.exists()
        assert len(service.requests) == 1

    @pytest.mark.django_db(transaction=True)
    def test_a_browser_that_renews_while_its_old_address_is_tried_is_kept(
        self, alice: User, service: Receiver, browser: Browser
    ) -> None:
        target = add_browser(alice, browser)
        delivery = make_target_delivery(target)
        renewed = Browser(f"{browser.endpoint}-renewed")

        def renew_and_refuse(handler: BaseHTTPRequestHandler) -> None:
            with closing(connection):
                assert own_browsers.renew(
                    endpoint=browser.endpoint, auth=encode(browser.auth), subscription=renewed.subscription
                )
            handler.send_error(410)

        service.answer = renew_and_refuse
        sender.deliver_once()
        assert reloaded(delivery).state == "retry"
        assert browsers.of(alice).get().digest == browsers.digest_of(renewed.endpoint)

    def test_retry_after_is_kept_to(self, alice: User, service: Receiver, browser: Browser) -> None:
        delivery = make_target_delivery(add_browser(alice, browser))
        service.status, service.headers = 429, {"Retry-After": "7200"}
        sender.deliver_once()
        assert 7000 < seconds_until_due(delivery) <= 7200

    def test_a_foreign_key_says_what_to_do(self, alice: User, service: Receiver, browser: Browser) -> None:
        service.status = 403
        assert "Add the browser anew" in own_targets.send_test(add_browser(alice, browser))

    def test_without_keys_it_waits(
        self, alice: User, service: Receiver, browser: Browser, settings: Settings
    ) -> None:
        delivery = make_target_delivery(add_browser(alice, browser))
        settings.VAPID_PRIVATE_KEY = ""
        sender.deliver_once()
        assert reloaded(delivery).state == "retry"
        assert service.requests == []

    def test_the_test_says_that_it_is_one(self, alice: User, service: Receiver, browser: Browser) -> None:
        assert own_targets.send_test(add_browser(alice, browser)) == ""
        assert browser.read(service.requests[0].body)["title"] == "A test from Notifcenter"


class TestTheInsideOfTheNetwork:
    def test_an_endpoint_inside_is_refused_when_it_is_connected_to(
        self, alice: User, service: Receiver, browser: Browser, settings: Settings
    ) -> None:
        settings.TARGETS_ALLOW_PRIVATE = []
        delivery = make_target_delivery(add_browser(alice, browser))
        sender.deliver_once()
        assert reloaded(delivery).state == "failed"
        assert "inside the network" in reloaded(delivery).last_error
        assert service.requests == []

    def test_nothing_readable_is_stored_or_logged(
        self, alice: User, service: Receiver, browser: Browser, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        target = add_browser(alice, browser)
        make_target_delivery(target)
        service.status = 500
        sender.deliver_once()
        stored = str(Target.objects.values().get())
        assert browser.endpoint in decrypt(target.secret)
        lines = [one.getMessage() for one in caplog.records if one.name.startswith(("notif", "pref"))]
        shown = client_of(alice).get("/api/v1/targets/").content.decode()
        assert lines
        for text in (stored, *lines, shown):
            assert "/push/abc" not in text
            assert browser.subscription["keys"]["auth"] not in text
