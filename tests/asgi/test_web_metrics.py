"""What a web process knows of itself: its open sockets, and how late its frames are."""

from __future__ import annotations

from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User

from tests.asgi.conftest import socket
from tests.cluster import submit, update
from tests.processes import wait_for
from tests.scrapes import Scrape

pytestmark = pytest.mark.django_db(transaction=True)


def scrape(url: str) -> Scrape:
    with urlopen(f"{url}/metrics", timeout=30) as answer:
        return Scrape(answer.read().decode())


def test_sockets_and_frames(web: str, alice: User, bob: User) -> None:
    wait_for(lambda: scrape(web)["open_sockets"] == 0, what="no socket of an earlier test")
    before = scrape(web)
    with socket(web, alice) as one, socket(web, alice) as other:
        for tab in (one, other):
            tab.frame("hello")
        assert scrape(web)["open_sockets"] == 2
        update(submit("nobody-is-online", "bob"), state="FAILED")
        update(submit(), state="FAILED")
        for tab in (one, other):
            tab.ids(1)

        def frames() -> float:
            return scrape(web)["change_to_frame_seconds_count"] - before["change_to_frame_seconds_count"]

        wait_for(lambda: frames() == 1, what="the frame, once for both tabs and not for bob")
        late = scrape(web)["change_to_frame_seconds_sum"] - before["change_to_frame_seconds_sum"]
        assert 0 < late < 60
    wait_for(lambda: scrape(web)["open_sockets"] == 0, what="the sockets are closed")
