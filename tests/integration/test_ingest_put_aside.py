"""Alerts that cannot be told, that nobody owns, or that come twice at the same moment."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from notifications.models import Notification, Received
from notifications.sources.ingest import line, source
from notifications.sources.ingest.line import New
from notifications.sources.ingest.models import Kind
from preferences.models import SiteSettings
from tests.clients import client_of
from tests.ingested import _token, fired, post
from tests.pollers import drain
from tests.unit.test_ingest_reading import labels

__all__ = ["_token"]

pytestmark = pytest.mark.django_db


class TestOwnerless:
    def test_all_active_staff_are_told_if_the_site_says_so(self, root: User, alice: User) -> None:
        User.objects.create_user("former", is_staff=True, is_active=False)
        second = User.objects.create_user("second", is_staff=True)
        SiteSettings.objects.create(ownerless_alerts_to_admins=True)
        nobodys = {"alertname": "NodeDown", "instance": "node-7"}
        post(fired(labels=nobodys))
        drain()
        assert {one.user for one in Notification.objects.all()} == {root, second}
        post(fired(labels=nobodys), fired(labels=nobodys, status="resolved", endsAt="2026-11-22T11:12:00Z"))
        drain()
        assert all("resolved_at" in one.details for one in Notification.objects.all())
        assert Notification.objects.count() == 2

    def test_without_staff_it_waits_for_the_admin(self) -> None:
        SiteSettings.objects.create(ownerless_alerts_to_admins=True)
        post(fired(labels={"alertname": "NodeDown"}))
        drain()
        assert "no active user is staff" in Received.objects.get().error


class TestPutAside:
    def test_a_name_that_nobody_can_have_is_put_aside_and_can_be_tried_again(
        self, root: User, alice: User
    ) -> None:
        post(fired(labels=labels(username="../admin")), fired(fingerprint="f2"))
        drain()
        assert Notification.objects.get().user == alice
        aside = Received.objects.exclude(error="").get()
        assert "no valid user name" in aside.error
        admin = client_of(root)
        page = admin.get("/admin/notifications/received/", {"state": "aside"}).content.decode()
        assert "../admin" in page
        assert "alert:f2" not in page
        Received.objects.filter(pk=aside.pk).update(user_name="alice")
        admin.post(
            "/admin/notifications/received/",
            {"action": "try_again", "_selected_action": [aside.pk]},
            follow=True,
        )
        drain()
        assert Notification.objects.count() == 2

    def test_one_that_cannot_be_stored_holds_up_nobody(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post(fired(fingerprint="f1"), fired(fingerprint="bad"), fired(fingerprint="f3"))
        digest = source._digest

        def fails(one: Any, *rest: Any) -> None:
            if "bad" in json.dumps(one.payload):
                raise ValueError("a defect")
            digest(one, *rest)

        monkeypatch.setattr(source, "_digest", fails)
        drain()
        assert Notification.objects.count() == 2
        assert "a defect" in Received.objects.exclude(error="").get().error


@pytest.mark.django_db(transaction=True)
def test_the_same_alerts_in_another_order_at_the_same_moment() -> None:
    """As from two Alertmanagers of one cluster: neither may wait for the other."""
    rows = [New(f"alert:{number}", Kind.ALERT, "alice", {}) for number in range(3000)]
    ready = Barrier(2)

    def put(received: list[New]) -> int:
        try:
            connection.ensure_connection()
            ready.wait()
            return len(line.put(received))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(put, [rows, rows[::-1]])) == len(rows)
