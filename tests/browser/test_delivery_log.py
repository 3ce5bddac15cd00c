"""The delivery log of the admin, with a channel that has paused by itself."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from notifications.delivery import pausing
from notifications.models import Delivery
from preferences.kinds import Channel
from tests.browser.conftest import Visit
from tests.deliveries import make_delivery

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = "The mail server refuses our login: 535 5.7.8 Error: authentication failed"


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_a_channel_is_resumed(visit: Visit, alice: User, root: User, width: int) -> None:
    make_delivery(alice)
    Delivery.objects.update(state="retry", last_error=REFUSED)
    pausing.pause_by_itself(Channel.EMAIL, reason=REFUSED)
    page = visit(
        "/admin/notifications/delivery/",
        root,
        viewport={"width": width, "height": 800},
        forgive=r"404 \(Not Found\)",  # its icon, which only our own pages name
    )
    expect(page.get_by_text("It is tried again at")).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    page.get_by_role("button", name="Resume E-mail").click()
    expect(page.get_by_role("button", name="Pause E-mail")).to_be_visible()
    expect(page.get_by_text("It is tried again at")).to_be_hidden()
