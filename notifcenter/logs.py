"""Log lines: one line an event, as text or as JSON, whatever hostile text is in it, and without our secrets."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

REQUEST_ID_HEADER = "X-Request-ID"
SHORTEST_SECRET = 6
"""Shorter ones would take ordinary words out of the lines, and protect nothing."""

SECRET_SETTINGS = (
    "SECRET_KEY",
    "PAI_JWT_SECRET",
    "PAI_REST_SERVER_TOKEN",
    "OIDC_CLIENT_SECRET",
    "METRICS_TOKEN",
    "INGEST_TOKEN",
    "EMAIL_HOST_PASSWORD",
    "VAPID_PRIVATE_KEY",
)
ADDRESS_SETTINGS = ("CELERY_BROKER_URL", "TARGETS_PROXY", "ALERTMANAGER_URL", "PAI_REST_SERVER_URL")
"""Addresses in which a password may stand, as it is written there."""

request_id: ContextVar[str] = ContextVar("request_id", default="")

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PLACE = re.compile(r"(?:(\w+)=)?%(?:%|[#0\- +]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa])")
_TOKENS_IN_PATHS = re.compile(r"(/unsubscribe/)[^/?\s]+")


class Lines(logging.Formatter):
    """`time LEVEL logger message key=value …`; a traceback follows as traceback='…' on the same line."""

    def format(self, record: logging.LogRecord) -> str:
        parts = [f"{self.formatTime(record)} {record.levelname} {record.name} {record.getMessage()}"]
        if number := request_id.get():
            parts.append(f"request_id={number}")
        if trouble := _traceback(self, record):
            parts.append(f"traceback={trouble!r}")
        return _without_secrets(_one_line(" ".join(parts)))


class Json(logging.Formatter):
    """One object a line: time, level, logger, message, and a field for each key=%… of the message."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := request_id.get():
            line["request_id"] = number
        if fields := dict(_fields(record)):
            line["fields"] = fields
        if trouble := _traceback(self, record):
            line["traceback"] = trouble
        # Before it becomes JSON, which writes quotation marks and what is not ASCII in another way.
        return json.dumps(_clean(line), ensure_ascii=True)


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    """From the message's template and its values, so that no value can pretend to be another field."""
    if not isinstance(record.args, tuple) or not isinstance(record.msg, str):
        return
    places = [found for found in _PLACE.finditer(record.msg) if found.group() != "%%"]
    for place, value in zip(places, record.args, strict=False):
        if key := place.group(1):
            yield key, value if isinstance(value, bool | int | float) else str(value)


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if not (record.exc_info and record.exc_info[0]) or isinstance(record.exc_info[1], SuspiciousOperation):
        return ""  # a request that anybody can make, such as for another host; the line says all of it
    return formatter.formatException(record.exc_info)


def _one_line(text: str) -> str:
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    return value if isinstance(value, bool | int | float) else _without_secrets(str(value))


def _without_secrets(line: str) -> str:
    for secret in _secrets():
        line = line.replace(secret, "[secret]")
    return line


@cache
def _secrets() -> tuple[str, ...]:
    found = [str(getattr(settings, name, "") or "") for name in SECRET_SETTINGS]
    found += [str(one.get("PASSWORD") or "") for one in settings.DATABASES.values()]
    found += list(settings.ENCRYPTION_KEYS)
    for name in ADDRESS_SETTINGS:
        found += _passwords(str(getattr(settings, name, "") or ""))
    return tuple(sorted((one for one in found if len(one) >= SHORTEST_SECRET), key=len, reverse=True))


def _passwords(addresses: str) -> Iterator[str]:
    """As they are written, and what they mean. Several brokers have `;` between them."""
    for address in addresses.split(";"):
        if password := urlsplit(address).password:
            yield from (password, unquote(password))


@sync_and_async_middleware
def request_ids(
    get_response: Callable[[HttpRequest], HttpResponse] | Callable[[HttpRequest], Awaitable[HttpResponse]],
) -> Callable[[HttpRequest], HttpResponse] | Callable[[HttpRequest], Awaitable[HttpResponse]]:
    """All lines of a request bear its number: that of the proxy if it gives one, else one of our own."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            number = _begin(request)
            response: HttpResponse = await get_response(request)
            response[REQUEST_ID_HEADER] = number
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        number = _begin(request)
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)
        response[REQUEST_ID_HEADER] = number
        return response

    return answer


def _begin(request: HttpRequest) -> str:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    number = given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
    request_id.set(number)
    return number


def access(protocol: str, action: str, details: Mapping[str, Any]) -> None:
    """What Daphne tells of requests and sockets, in place of its own access log.

    Without the query: single sign-on and searches have there what nobody else should read.
    """
    path = _TOKENS_IN_PATHS.sub(r"\1…", str(details.get("path", "")).partition("?")[0])
    logger = logging.getLogger("notifcenter.access")
    if (protocol, action) == ("http", "complete"):
        values = (details["method"], path, details["status"], details["size"], details["time_taken"] * 1000)
        logger.info("request method=%s path=%r status=%d bytes=%d milliseconds=%.0f", *values)
    elif protocol == "websocket" and action in ("connected", "disconnected", "rejected"):
        logger.info("websocket action=%s path=%r", action, path)


def use_our_access_log() -> None:
    """Daphne makes its access log before it imports us, so the class is changed rather than the object."""
    from daphne.access import AccessLogGenerator

    def call(self: object, protocol: str, action: str, details: Mapping[str, Any]) -> None:
        access(protocol, action, details)

    AccessLogGenerator.__call__ = call
