"""To the cluster's Alertmanager: what OpenPAI's own notifier posts there, for those who have built upon it.

One delivery a notification, as for any channel; a worker's batch goes out as one request. The receiving side knows an
alert by its labels, so that one that is posted again (after a worker's death) is the same alert.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from django.conf import settings
from django.utils import timezone

from notifications import links, openpai_alerts, wording
from notifications.delivery.base import ChannelDown, DeliveryError, Transport
from notifications.models import Delivery

logger = logging.getLogger(__name__)

PATHS = ("/api/v2/alerts", "/api/v1/alerts")
"""The second for Alertmanagers older than 0.16."""

ABSENT = frozenset({404, 405, 410})
"""How an Alertmanager answers where it has no such interface (0.27 and newer: 410 for the older one)."""

TIMEOUT_SECONDS = 10
MAX_ANSWER_BYTES = 4096
FIRST_SERVER_ERROR = 500
TOO_MANY = 429


class _RefusedError(Exception):
    """The request was understood, and refused."""


class AlertmanagerTransport(Transport):
    """The first `send` posts everything that was announced; if that is refused, each goes alone."""

    def __init__(self) -> None:
        self._announced: list[Delivery] = []
        self._posted: set[int] = set()

    def announce(self, deliveries: Sequence[Delivery]) -> None:
        self._announced = list(deliveries)

    def open(self) -> None:
        if not settings.ALERTMANAGER_URL:
            raise ChannelDown("No Alertmanager is configured: ALERTMANAGER_URL is not set.")

    def send(self, delivery: Delivery) -> None:
        if self._announced:
            together, self._announced = self._announced, []
            try:
                _post([alert_of(one) for one in together])
                self._posted = {one.id for one in together}
            except _RefusedError as refused:
                logger.warning(
                    "alerts refused, each goes alone count=%d error=%r", len(together), str(refused)
                )
        if delivery.id in self._posted:
            return
        try:
            _post([alert_of(delivery)])
        except _RefusedError as refused:
            raise DeliveryError(f"Alertmanager refused the alert: {refused}", permanent=True) from None


def alert_of(delivery: Delivery) -> dict[str, Any]:
    """As Alertmanager's `POST /api/v2/alerts` takes it. It ends by itself, after Alertmanager's `resolve_timeout`."""
    notification = delivery.notification
    words = (notification.event, notification.job_name, notification.ordinal, notification.details)
    return {
        "labels": openpai_alerts.labels(
            event=notification.event,
            ordinal=notification.ordinal,
            job_name=notification.job_name,
            username=notification.user.get_username(),
            details=notification.details,
        ),
        "annotations": {"summary": wording.title(*words)},
        "startsAt": min(notification.occurred_at, timezone.now()).isoformat(),
        "generatorURL": links.page_of(notification),
    }


def _post(alerts: Sequence[dict[str, Any]]) -> None:
    """Raises _RefusedError, or ChannelDown when the Alertmanager does not answer, or not as one."""
    body = json.dumps(alerts).encode()
    for path in PATHS:
        if _posted(settings.ALERTMANAGER_URL + path, body):
            return
    raise ChannelDown(f"There is no Alertmanager at ALERTMANAGER_URL: it has neither {' nor '.join(PATHS)}.")


def _posted(url: str, body: bytes) -> bool:
    """False when there is no such interface."""
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - http or https, by environment.url
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            return True
    except HTTPError as error:
        with error:
            if error.code in ABSENT:
                return False
            answer = f"{error.code} {error.read(MAX_ANSWER_BYTES).decode(errors='replace')}"
        if error.code >= FIRST_SERVER_ERROR or error.code == TOO_MANY:
            raise ChannelDown(f"Alertmanager cannot take alerts now: {answer}") from None
        raise _RefusedError(answer) from None
    except (URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        raise ChannelDown(f"Alertmanager cannot be reached: {reason or type(error).__name__}") from None
