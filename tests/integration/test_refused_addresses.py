"""An address that refuses mail three times in a row: nothing more is sent there, its user sees it, and can lift it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client
from pytest_django import Settings

from notifications.delivery import pausing, queue
from notifications.delivery.base import AddressRefused
from notifications.delivery.email import EmailTransport
from notifications.models import Delivery, DeliveryState
from notifications.tasks import deliver_due
from preferences.addresses import MOST_REFUSALS
from preferences.kinds import Channel
from preferences.models import AddressRecord, ChannelPolicy
from preferences.services import save_preferences
from tests import smtp
from tests.deliveries import make_deliveries, make_delivery, reloaded
from tests.processes import free_port
from tests.smtp import SmtpServer

UNKNOWN = "550 5.1.1 <b>No such user</b>"
PREFERENCES, TEST = "/api/v1/preferences/", "/api/v1/preferences/test-mail/"


@pytest.fixture
def refusing(server: SmtpServer) -> SmtpServer:
    """It knows everybody but alice."""
    server.programme.rcpt = lambda to: UNKNOWN if to == "alice@example.org" else smtp.OK
    return server


def states() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("state", flat=True))


def email_of(browser: Client) -> dict[str, Any]:
    channel: dict[str, Any] = browser.get(PREFERENCES).json()["channels"]["email"]
    return channel


def let_test_again() -> None:
    AddressRecord.objects.update(tested_at=None)


def press_the_button(browser: Client) -> str:
    let_test_again()
    answer = browser.post("/profile/test-mail/", follow=True)
    assert answer.redirect_chain == [("/profile/", 302)]
    return answer.content.decode()


def test_after_the_third_refusal_nothing_is_sent_there_any_more(
    refusing: SmtpServer, alice: User, bob: User
) -> None:
    make_deliveries(alice, 5)
    other = make_delivery(bob)
    deliver_due()
    assert states() == ["failed"] * 3 + ["dropped"] * 2 + ["sent"]
    dropped = Delivery.objects.filter(state=DeliveryState.DROPPED).first()
    assert dropped is not None
    assert "refused too many mails in a row" in dropped.last_error
    assert reloaded(other).state == DeliveryState.SENT

    make_delivery(alice)
    deliver_due()
    assert states()[-1] == "dropped"
    assert AddressRecord.objects.get().refusals == 3


def test_the_user_sees_it_and_a_test_mail_that_is_taken_lifts_it(
    refusing: SmtpServer, alice: User, browser: Client
) -> None:
    assert email_of(browser)["available"] is True
    make_deliveries(alice, 3)
    deliver_due()

    channel = email_of(browser)
    assert (channel["available"], channel["why_not"]) == (False, "Mail to your address does not arrive.")
    assert "550 5.1.1" in browser.get(PREFERENCES).json()["email_address_refused"]
    page = browser.get("/profile/").content.decode()
    assert "Mail to alice@example.org does not arrive" in page
    assert "550 5.1.1 &lt;b&gt;No such user&lt;/b&gt;" in page
    assert "Send a test mail to alice@example.org" in page

    assert "was not taken" in press_the_button(browser)
    assert email_of(browser)["available"] is False

    refusing.programme.rcpt = smtp.ACCEPT
    assert "The mail server has taken a test mail to alice@example.org" in press_the_button(browser)
    assert email_of(browser)["available"] is True
    assert "does not arrive" not in browser.get("/profile/").content.decode()
    make_delivery(alice)
    deliver_due()
    assert states()[-1] == "sent"


def test_a_mail_that_arrives_begins_the_count_anew(refusing: SmtpServer, alice: User) -> None:
    make_deliveries(alice, 2)
    deliver_due()
    refusing.programme.rcpt = smtp.ACCEPT
    make_delivery(alice)
    deliver_due()
    refusing.programme.rcpt = smtp.always(UNKNOWN)
    make_delivery(alice)
    make_delivery(alice)
    deliver_due()
    assert AddressRecord.objects.get().refusals == 2
    assert "dropped" not in states()


def test_another_address_begins_anew_however_it_was_set(
    refusing: SmtpServer, alice: User, browser: Client
) -> None:
    make_deliveries(alice, 3)
    deliver_due()
    save_preferences(user=alice, email_address="alice@example.com")
    assert email_of(browser)["available"] is True
    make_delivery(alice)
    deliver_due()
    assert states()[-1] == "sent"

    User.objects.filter(id=alice.id).update(email="alice@example.org")
    assert email_of(browser)["available"] is False, "the old one is not better for it"


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("after_data", "554 5.7.1 Looks like spam"),
        ("rcpt", "450 4.2.0 Greylisted"),
        ("mail", "552 5.3.4 Too large"),
    ],
)
def test_what_is_not_about_the_address_does_not_count(
    server: SmtpServer, alice: User, step: str, answer: str
) -> None:
    setattr(server.programme, step, smtp.always(answer))
    make_deliveries(alice, 4)
    deliver_due()
    assert "dropped" not in states()
    assert not AddressRecord.objects.filter(refusals__gt=0).exists()


def test_a_refusal_that_could_not_be_noted_does_not_count(alice: User) -> None:
    make_delivery(alice)
    (claim,) = queue.claim(Channel.EMAIL, limit=1)
    Delivery.objects.update(due_at=Now())
    transport = EmailTransport()
    noted = transport.to_note(Delivery.objects.get(), AddressRefused("550"))
    assert queue.mark_failed(claim, error="550", also=noted) is False
    assert not AddressRecord.objects.exists()


class TestTheTestMail:
    def test_it_is_a_mail_like_ours(self, server: SmtpServer, alice: User, browser: Client) -> None:
        assert browser.post(TEST).json()["accepted"] is True
        (message,) = server.messages
        assert message["To"] == "alice@example.org"
        assert message["Subject"] == "[cluster] Test mail"
        assert message["Auto-Submitted"] == "auto-generated"
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        assert "Mail from cluster reaches you, alice." in str(message.get_body(("plain",)))

    def test_not_twice_in_a_minute(self, server: SmtpServer, alice: User, browser: Client) -> None:
        assert browser.post(TEST).status_code == 200
        again = browser.post(TEST)
        assert (again.status_code, again.json()["accepted"]) == (429, False)
        assert "Please wait" in again.json()["detail"]
        assert len(server.messages) == 1

    @pytest.mark.parametrize("why", ["no address", "off", "no server", "paused"])
    def test_where_there_is_no_mail_it_says_why(
        self, server: SmtpServer, settings: Settings, alice: User, browser: Client, why: str
    ) -> None:
        if why == "no address":
            User.objects.update(email="")
        elif why == "off":
            ChannelPolicy.objects.create(channel="email", enabled=False)
        elif why == "no server":
            settings.EMAIL_CONFIGURED = False
        else:
            pausing.pause(Channel.EMAIL, by="root")
        answer = browser.post(TEST)
        assert answer.status_code == 409
        assert {
            "no address": "no e-mail address",
            "off": "administrator has switched",
            "no server": "No mail server",
            "paused": "paused at the moment",
        }[why] in answer.json()["detail"]
        assert server.connections == 0

    def test_a_server_that_is_away_is_no_fault_of_the_address(
        self, server: SmtpServer, settings: Settings, alice: User, browser: Client
    ) -> None:
        settings.EMAIL_PORT = free_port()
        answer = browser.post(TEST).json()
        assert answer["accepted"] is False
        assert "cannot be reached at the moment" in answer["detail"]
        assert AddressRecord.objects.get().refusals == 0

    def test_our_own_fault_pauses_the_channel(self, server: SmtpServer, alice: User, browser: Client) -> None:
        server.programme.mail = smtp.always("553 5.7.1 not yours")
        assert "The administrators know." in browser.post(TEST).json()["detail"]
        assert ChannelPolicy.objects.get().paused

    def test_only_who_is_signed_in_and_only_by_post(self, alice: User, browser: Client) -> None:
        assert Client().post(TEST).status_code in (401, 403)
        assert Client().post("/profile/test-mail/").status_code == 302
        assert browser.get("/profile/test-mail/").status_code == 405
        assert browser.get(TEST).status_code == 405


def test_the_refusals_of_the_address_before_do_not_count(refusing: SmtpServer, alice: User) -> None:
    make_deliveries(alice, MOST_REFUSALS - 1)
    deliver_due()
    save_preferences(user=alice, email_address="alice@example.com")
    refusing.programme.rcpt = lambda to: UNKNOWN
    refused, waits = make_delivery(alice, framework_name="x"), make_delivery(alice, framework_name="y")
    deliver_due()
    assert {reloaded(one).state for one in (refused, waits)} == {DeliveryState.FAILED}
    refusing.programme.rcpt = smtp.ACCEPT
    make_delivery(alice, framework_name="z")
    deliver_due()
    assert states()[-1] == DeliveryState.SENT
