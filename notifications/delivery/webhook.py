"""Notifications as JSON to a user's own server, signed as standardwebhooks.com has it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time

import requests
from requests.models import PreparedRequest
from rest_framework.utils.encoders import JSONEncoder
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from notifications import inbox
from notifications.delivery.guard import guarded
from notifications.delivery.outside import TOTAL_SECONDS, OutsideSession, refusal, trouble
from notifications.delivery.targets import Draft, Message, TargetGone, TargetTransport
from preferences.targets import TargetRefused

KEY_PREFIX = "whsec_"
KEY_BYTES = 24
MAX_URL_CHARACTERS = 2000
GONE = 410


class WebhookTransport(TargetTransport):
    @classmethod
    def draft(cls, address: str) -> Draft:
        url = _checked(address)
        key = KEY_PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        return Draft(
            service="Webhook",
            hint=parse_url(url).netloc or "",
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


def _checked(address: str) -> str:
    """The address as it will be asked for. What its host means is looked at whenever it is connected to."""
    request = PreparedRequest()
    try:
        request.prepare_url(address, None)
        parts = parse_url(request.url or "")
    except (requests.RequestException, LocationParseError, ValueError):
        raise TargetRefused("This is no web address; write it like https://example.org/hook.") from None
    if parts.scheme not in ("https", "http") or not parts.host or not address.isprintable():
        raise TargetRefused("This is no web address; write it like https://example.org/hook.")
    if parts.auth:
        raise TargetRefused("Leave out the user name and the password before the @: what is sent is signed.")
    if len(request.url or "") > MAX_URL_CHARACTERS:
        raise TargetRefused(f"The address is too long: at most {MAX_URL_CHARACTERS} characters.")
    return request.url or ""
