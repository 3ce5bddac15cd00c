"""The links that stop mails: signed, without sign-in, GET asks and POST acts."""

from __future__ import annotations

import email.policy
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.signing import Signer
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from notifications.delivery.mail import compose
from notifications.groups.models import JobGroup
from notifications.models import Delivery
from notifications.unsubscribe import Scope, Subscription
from preferences.kinds import ALL_EVENTS, Channel, Event
from preferences.models import ChannelPreference, JobConfig, SiteSettings, UserPreference
from preferences.selectors import profile
from tests.deliveries import make_delivery, make_group

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
ALERT = {"event": "alert", "framework_name": "alert:0c5e", "job_name": ""}


@pytest.fixture(autouse=True)
def _https(settings: Settings) -> None:
    settings.BASE_URL = "https://notify.example.org"


@pytest.fixture
def delivery(alice: User) -> Delivery:
    return make_delivery(alice, group=make_group(alice))


@pytest.fixture
def stranger() -> Client:
    """Not signed in, and with the checks of forms in force."""
    return Client(enforce_csrf_checks=True)


def path(delivery: Delivery, scope: Scope) -> str:
    return urlsplit(Subscription.of(delivery.notification, scope).url).path


def wire(delivery: Delivery) -> EmailMessage:
    message = email.message_from_bytes(compose(delivery).message().as_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def mail_events(user: User) -> tuple[bool, frozenset[Event]]:
    (choice,) = (one for one in profile(user=user).channels if one.channel is Channel.EMAIL)
    return choice.enabled, choice.events


def is_muted(delivery: Delivery) -> bool:
    told = delivery.notification
    key = {"framework_name": told.framework_name, "submission_time": told.submission_time}
    if JobGroup.objects.filter(notifications=told.pk, muted=True).exists():
        return True
    return JobConfig.objects.filter(**key, muted=True).exists()


def test_one_click_of_a_mail_program_switches_e_mail_off(stranger: Client, delivery: Delivery) -> None:
    message = wire(delivery)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = urlsplit(str(message["List-Unsubscribe"]).strip("< >"))
    assert url.scheme == "https"
    assert stranger.post(url.path, ONE_CLICK).status_code == 200
    assert mail_events(delivery.notification.user) == (False, ALL_EVENTS)


def test_without_https_there_is_no_one_click(settings: Settings, delivery: Delivery) -> None:
    settings.BASE_URL = "http://127.0.0.1:8000"
    message = wire(delivery)
    assert message["List-Unsubscribe-Post"] is None
    assert str(message["List-Unsubscribe"]).strip().startswith("<http://127.0.0.1:8000/unsubscribe/")


def test_the_links_of_the_mail_lead_to_the_page_for_the_job_the_event_and_all(delivery: Delivery) -> None:
    for kind in ("plain", "html"):
        body = wire(delivery).get_body((kind,))
        assert body is not None
        for scope in Scope:
            assert path(delivery, scope) in body.get_content()


def test_a_mail_about_no_job_offers_no_mute(alice: User) -> None:
    delivery = make_delivery(alice, **ALERT)
    body = wire(delivery).get_body(("plain",))
    assert body is not None
    assert "Mute" not in body.get_content()


@pytest.mark.parametrize("scope", Scope)
def test_looking_changes_nothing(stranger: Client, delivery: Delivery, scope: Scope) -> None:
    for method in (stranger.get, stranger.head):
        answer = method(path(delivery, scope))
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
    assert not JobConfig.objects.exists()
    assert not ChannelPreference.objects.exists()


def test_the_job_is_muted_and_no_other(stranger: Client, delivery: Delivery) -> None:
    other = make_delivery(delivery.notification.user)
    assert "Mute resnet50-lr3?" in stranger.get(path(delivery, Scope.JOB)).content.decode()
    done = stranger.post(path(delivery, Scope.JOB), ONE_CLICK).content.decode()
    assert "resnet50-lr3 is muted" in done
    assert f"/jobs/{delivery.notification.framework_name}/" in done
    assert is_muted(delivery)
    assert not is_muted(other)
    assert mail_events(delivery.notification.user) == (True, ALL_EVENTS)


@pytest.mark.parametrize("scope", [Scope.JOB, Scope.GROUP])
def test_it_can_be_muted_for_a_day(stranger: Client, delivery: Delivery, scope: Scope) -> None:
    assert "Mute for a day" in stranger.get(path(delivery, scope)).content.decode()
    before = timezone.now()
    done = stranger.post(path(delivery, scope), {"for_a_day": "1"}).content.decode()
    assert "For a day; then it is as it was before." in done
    row = JobConfig.objects.get() if scope is Scope.JOB else delivery.notification.group
    assert row
    row.refresh_from_db()
    assert row.muted_until
    assert before < row.muted_until - timedelta(days=1) < timezone.now()
    assert "is muted" in stranger.get(path(delivery, scope)).content.decode()


@pytest.mark.parametrize("scope", [Scope.EVENT, Scope.ALL])
def test_mails_are_stopped_for_good(stranger: Client, delivery: Delivery, scope: Scope) -> None:
    assert "Mute for a day" not in stranger.get(path(delivery, scope)).content.decode()


def test_the_event_is_switched_off_for_mails_only(stranger: Client, delivery: Delivery) -> None:
    done = stranger.post(path(delivery, Scope.EVENT), ONE_CLICK).content.decode()
    assert "No more mails at “Failed”" in done
    assert "/profile/" in done
    assert mail_events(delivery.notification.user) == (True, ALL_EVENTS - {Event.FAILED})
    assert not ChannelPreference.objects.exclude(channel=Channel.EMAIL).exists()


@pytest.mark.parametrize("scope", Scope)
def test_twice_is_as_once_and_can_be_undone(stranger: Client, delivery: Delivery, scope: Scope) -> None:
    address, user = path(delivery, scope), delivery.notification.user
    for _ in range(2):
        assert "Undo" in stranger.post(address, ONE_CLICK).content.decode()
    assert is_muted(delivery) or mail_events(user) != (True, ALL_EVENTS)
    for _ in range(2):
        assert "Undone" in stranger.post(address, {"undo": "1"}).content.decode()
    assert mail_events(user) == (True, ALL_EVENTS)
    assert not is_muted(delivery)


def test_what_else_was_set_for_the_job_stays(stranger: Client, delivery: Delivery) -> None:
    told = delivery.notification
    JobConfig.objects.create(
        framework_name=told.framework_name, submission_time=told.submission_time, events={"running": True}
    )
    stranger.post(path(delivery, Scope.JOB), ONE_CLICK)
    assert JobConfig.objects.get().events == {"running": True}
    stranger.post(path(delivery, Scope.JOB), {"undo": "1"})
    assert JobConfig.objects.get().events == {"running": True}


def signed(*content: Any) -> str:
    return Signer(salt="notifcenter.unsubscribe", sep=".").sign_object(list(content))


BROKEN = [
    "x",
    "%00",
    "a" * 5000,
    Signer(salt="another", sep=".").sign_object([1, "all"]),
    signed(),
    signed(1),
    signed(1, "everything"),
    signed(1, "event", "no-event"),
    signed(1, "job", "0c5e", "yesterday"),
    signed(1, "all", "more"),
    signed(10**9, "all"),
    signed("\x00", "all"),
]


@pytest.mark.parametrize("token", BROKEN)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_broken_link_says_so(stranger: Client, alice: User, token: str, method: str) -> None:
    answer = getattr(stranger, method)(f"/unsubscribe/{token}/")
    assert answer.status_code == 404
    assert "This link does not work" in answer.content.decode()


def test_a_changed_or_cut_link_is_broken(stranger: Client, delivery: Delivery) -> None:
    address = path(delivery, Scope.ALL)
    head, _, tail = address.removesuffix("/").partition(".")
    for broken in (f"{address[:-2]}/", f"{head[:-1]}.{tail}/", f"{head}A.{tail}/"):
        assert stranger.post(broken, ONE_CLICK).status_code == 404
    assert mail_events(delivery.notification.user) == (True, ALL_EVENTS)


def test_a_link_of_somebody_who_was_deactivated_is_broken(stranger: Client, delivery: Delivery) -> None:
    User.objects.update(is_active=False)
    assert stranger.post(path(delivery, Scope.ALL), ONE_CLICK).status_code == 404


def test_no_other_method_is_allowed(stranger: Client, delivery: Delivery) -> None:
    assert stranger.delete(path(delivery, Scope.ALL)).status_code == 405


def test_a_hostile_job_name_is_escaped(stranger: Client, alice: User) -> None:
    delivery = make_delivery(alice, job_name="<img src=x onerror=alert(1)>\u202e")
    page = stranger.get(path(delivery, Scope.JOB)).content.decode()
    assert "<img src=x" not in page
    assert "\u202e" not in page


def test_without_the_clusters_table_it_says_so(stranger: Client, delivery: Delivery) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE frameworks")
    answer = stranger.post(path(delivery, Scope.JOB), ONE_CLICK)
    assert answer.status_code == 503
    assert "capture check" in answer.content.decode()


def test_the_page_speaks_the_users_language_and_without_one_the_sites(
    stranger: Client, delivery: Delivery
) -> None:
    UserPreference.objects.create(user=delivery.notification.user, language="zh-hans")
    page = stranger.get(path(delivery, Scope.JOB)).content.decode()
    assert '<html lang="zh-hans">' in page
    assert "要静音 resnet50-lr3 吗？" in page
    UserPreference.objects.update(language="")
    assert "Mute resnet50-lr3?" in stranger.get(path(delivery, Scope.JOB)).content.decode()
    SiteSettings.objects.create(language="zh-hans")
    assert "要静音 resnet50-lr3 吗？" in stranger.get(path(delivery, Scope.JOB)).content.decode()
    assert "此链接无效" in stranger.get("/unsubscribe/x/").content.decode()
