"""Alerts as Alertmanager posts them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from notifications.models import Notification
from tests.pollers import drain
from tests.unit.test_ingest_reading import alert

URL = "/api/v1/ingest/alertmanager/"
TOKEN = "a-token-that-only-the-tests-know"
STARTED = "2026-11-22T11:00:00Z"


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> None:
    settings.INGEST_TOKEN = TOKEN


def post(*alerts: Any, token: str = TOKEN, **more: Any) -> Any:
    body = {"version": "4", "alerts": list(alerts), **more}
    return Client().post(URL, body, "application/json", headers={"Authorization": f"Bearer {token}"})


def fired(**more: Any) -> dict[str, Any]:
    return alert(startsAt=STARTED, **more)


def one() -> Notification:
    drain()
    return Notification.objects.get()
