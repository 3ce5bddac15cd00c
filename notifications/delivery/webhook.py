"""Notifications as JSON to a user's own server, signed as standardwebhooks.com has it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time

import requests
from rest_framework.utils.encoders import JSONEncoder

from notifications import inbox
from notifications.delivery.guard import guarded
from notifications.delivery.outside import TOTAL_SECONDS, OutsideSession, refusal, trouble
from notifications.delivery.targets import Draft, Message, TargetGone, TargetTransport
from notifications.delivery.web_address import host_of, web_address

KEY_PREFIX = "whsec_"
KEY_BYTES = 24
GONE = 410


class WebhookTransport(TargetTransport):
    @classmethod
    def draft(cls, address: str) -> Draft:
        url = web_address(address)
        key = KEY_PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        return Draft(
            service="Webhook",
            hint=host_of(url),
            secret=json.dumps({"url": url, "key": key}),
            shown_once=key,
        )

    def post(self, secret: str, message: Message) -> None:
        known = json.loads(secret)
        body = body_of(message)
        headers = {"Content-Type": "application/json", "User-Agent": "Notifcenter"}
        headers |= signature(known["key"], message.id, int(time.time()), body)
        with guarded(seconds=TOTAL_SECONDS), OutsideSession() as session:
            try:
                answer = session.post(known["url"], data=body, headers=headers)
            except (requests.RequestException, OSError, ValueError) as error:
                raise trouble(error) from error
        if answer.status_code == GONE:
            raise TargetGone("The other side answered 410: it wants nothing any more.")
        if (problem := refusal(answer)) is not None:
            raise problem


def body_of(message: Message) -> bytes:
    """The notification as REST shows it; a test says so."""
    notification = message.notification
    values = inbox.payload(notification, notification.user.get_username())
    if message.is_test:
        values["test"] = True
    return json.dumps(values, cls=JSONEncoder, ensure_ascii=False).encode("utf-8", "replace")


def signature(key: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks. `key` is "whsec_" and base64; `timestamp` seconds since 1970."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digest = hmac.digest(base64.b64decode(key.removeprefix(KEY_PREFIX)), signed, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
