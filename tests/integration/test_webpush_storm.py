"""Many notifications are few pushes, and the hours in which none is wanted."""

from __future__ import annotations

from datetime import time as clock
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from notifications.models import Delivery, DeliveryState, PushWindow
from preferences import targets
from preferences.kinds import ALL_EVENTS, Channel
from preferences.models import ChannelPolicy, ChannelPreference, JobConfig, UserPreference
from tests.deliveries import reloaded
from tests.pollers import end_jobs
from tests.push import Browser, add_browser
from tests.push_service import _keys, browser, one_service, paths, send_all, service
from tests.receiver import Receiver

__all__ = ["_keys", "browser", "one_service", "paths", "service"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("breaker", "_keys")]


def only_push(user: User) -> None:
    for channel in (Channel.EMAIL, Channel.WEBPORTAL):
        ChannelPreference.objects.create(user=user, channel=channel, enabled=channel is Channel.WEBPORTAL)


def pass_time(by: timedelta) -> None:
    Delivery.objects.update(due_at=F("due_at") - by, planned_at=F("planned_at") - by)
    PushWindow.objects.update(until=F("until") - by)


class TestAStorm:
    def test_many_failures_become_two_pushes_a_browser(
        self, alice: User, service: Receiver, browser: Browser
    ) -> None:
        only_push(alice)
        other = Browser(browser.endpoint.replace("abc", "def"))
        for one in (browser, other):
            add_browser(alice, one)
        end_jobs(*(f"sweep-{number}" for number in range(30)))
        send_all()
        assert len(service.requests) == 2
        assert Delivery.objects.filter(state=DeliveryState.BUNDLED).count() == 2 * 29
        pass_time(timedelta(seconds=70))
        send_all()
        assert len(service.requests) == 4
        assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
        last = service.requests[-1]
        message = (browser if last.path.startswith("/push/abc") else other).read(last.body)
        assert message["title"].startswith("29 jobs failed")
        assert message["body"].splitlines() == ["sweep-*: 29 failed", "Unread in your inbox: 30"]
        assert message["url"] == "http://127.0.0.1:8000/"

    def test_one_event_in_two_browsers_is_no_storm(
        self, alice: User, service: Receiver, browser: Browser
    ) -> None:
        only_push(alice)
        for one in (browser, Browser(browser.endpoint.replace("abc", "def"))):
            add_browser(alice, one)
        end_jobs("a")
        pass_time(timedelta(seconds=70))
        end_jobs("b")
        send_all()
        assert len(service.requests) == 4

    def test_what_follows_the_storm_takes_its_place(
        self, alice: User, service: Receiver, browser: Browser
    ) -> None:
        only_push(alice)
        add_browser(alice, browser)
        end_jobs("a", "b", "c")
        pass_time(timedelta(seconds=70))
        send_all()
        end_jobs("d", "e")
        pass_time(timedelta(seconds=70))
        send_all()
        topics = [request.headers["Topic"] for request in service.requests]
        assert len(topics) == 3
        assert topics[1] == topics[2]

    def test_what_comes_alone_goes_out_at_once(
        self, alice: User, service: Receiver, browser: Browser
    ) -> None:
        only_push(alice)
        add_browser(alice, browser)
        for job in ("a", "b"):
            end_jobs(job)
            send_all()
            pass_time(timedelta(seconds=70))
        assert len(service.requests) == 2

    def test_one_mail_a_day_holds_no_push_back(
        self, alice: User, service: Receiver, browser: Browser
    ) -> None:
        only_push(alice)
        UserPreference.objects.create(user=alice, bundling_minutes=24 * 60)
        add_browser(alice, browser)
        end_jobs("a")
        send_all()
        assert len(service.requests) == 1

    def test_mails_and_pushes_have_windows_of_their_own(
        self, alice: User, service: Receiver, browser: Browser, settings: Any
    ) -> None:
        """A browser that is added in the middle of a storm is told at once."""
        settings.EMAIL_CONFIGURED = True
        end_jobs("a")
        add_browser(alice, browser)
        end_jobs("b")
        states = Delivery.objects.filter(notification__job_name="b").values_list("channel", "state")
        assert dict(states) == {"email": "bundled", "webpush": "pending"}


class TestQuiet:
    @pytest.fixture(autouse=True)
    def _now_is_quiet(self, alice: User) -> None:
        now = timezone.now()
        start, end = now - timedelta(hours=1), now + timedelta(hours=1)
        UserPreference.objects.create(
            user=alice,
            quiet_from=clock(start.hour, start.minute),
            quiet_until=clock(end.hour, end.minute),
        )
        only_push(alice)

    def test_pushes_wait_and_come_as_one(self, alice: User, service: Receiver, browser: Browser) -> None:
        add_browser(alice, browser)
        end_jobs("a", "b", state="SUCCEEDED")
        send_all()
        assert service.requests == []
        pass_time(timedelta(hours=1))
        UserPreference.objects.update(quiet_until=clock(timezone.now().hour, timezone.now().minute))
        send_all()
        (request,) = service.requests
        assert browser.read(request.body)["title"] == "2 succeeded"

    def test_failures_pass_if_the_user_says_so(
        self, alice: User, service: Receiver, browser: Browser
    ) -> None:
        UserPreference.objects.update(failures_pass_quiet=True)
        add_browser(alice, browser)
        end_jobs("a", state="SUCCEEDED")
        end_jobs("b")
        send_all()
        (request,) = service.requests
        assert browser.read(request.body)["title"].startswith("b failed")


def test_a_muted_job_is_silent(alice: User, service: Receiver, browser: Browser) -> None:
    """Also when the mute comes between the event and the push."""
    only_push(alice)
    add_browser(alice, browser)
    end_jobs("a")
    delivery = Delivery.objects.get()
    JobConfig.objects.create(
        framework_name=delivery.notification.framework_name,
        submission_time=delivery.notification.submission_time,
        muted=True,
    )
    send_all()
    assert reloaded(delivery).state == "dropped"
    assert service.requests == []


def test_off_until_the_admin_allows_it(alice: User, service: Receiver, browser: Browser) -> None:
    add_browser(alice, browser)
    ChannelPolicy.objects.all().delete()
    ChannelPreference.objects.create(
        user=alice, channel=Channel.WEBPUSH, events=[e.value for e in ALL_EVENTS]
    )
    end_jobs("a")
    assert not Delivery.objects.filter(channel=Channel.WEBPUSH).exists()
    assert targets.own(alice).exists()
