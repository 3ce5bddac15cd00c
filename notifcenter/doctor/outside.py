"""The broker, the worker, the mail server, the cluster's REST server, and this site as others see it."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import requests
from celery import current_app
from django.conf import settings

from accounts import rest_server
from notifcenter.doctor import proxies
from notifcenter.doctor.finding import Seen, fail, ok, warn
from notifcenter.doctor.link import ANSWER_BYTES, ASK_SECONDS, authorities, connection
from notifications.delivery.base import ChannelBroken, ChannelDown, DeliveryError
from notifications.delivery.email import EmailTransport

PING_SECONDS = 2.0
MANY_MESSAGES = 1000
QUEUE = "celery"
NOT_FOUND = 404
"""AMQP's code for a queue that is not there."""


def broker() -> Seen:
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        if not os.access(settings.DATA_DIR, os.W_OK):
            return fail(f"{settings.DATA_DIR} cannot be written", "Give it to the user of this process.")
        return ok("no broker: messages pass through the data folder, which all parts have to share")
    with current_app.connection_for_write() as link:
        try:
            link.ensure_connection(max_retries=1, timeout=int(ASK_SECONDS), reraise_as_library_errors=False)
            waiting = _messages(link)
        except Exception as error:  # what kombu's transports raise is their libraries' own
            return fail(
                f"the broker at {link.as_uri(mask='…')} does not answer: {error}",
                "Check CELERY_BROKER_URL and that the broker runs. Until then mails wait for the workers' own sweep.",
            )
    if waiting > MANY_MESSAGES:
        return warn(
            f"{waiting} messages wait at the broker", "No worker takes them: celery -A notifcenter worker"
        )
    return ok(f"{link.as_uri(mask='…')} answers, {waiting} messages wait")


def _messages(link: Any) -> int:
    """How many wait; 0 too when there is no queue: Redis keeps no empty ones."""
    try:
        with link.channel() as channel:
            return int(channel.queue_declare(QUEUE, passive=True).message_count)
    except (*link.channel_errors, *link.connection_errors) as error:
        if getattr(error, "reply_code", None) == NOT_FOUND or "NOT_FOUND" in str(error):
            return 0
        raise


def worker() -> Seen:
    start = "Run: celery -A notifcenter worker"
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        return ok("without a broker it cannot be asked; `deliveries` shows whether one is at work")
    try:
        answers = current_app.control.ping(timeout=PING_SECONDS)
    except Exception as error:  # as above
        return fail(f"no worker can be asked: {error}", "Mend the broker first.")
    if not answers:
        return fail("no worker answers", start)
    names = ", ".join(sorted(name for answer in answers for name in answer))
    return ok(f"{names} answers" if len(answers) == 1 else f"{len(answers)} answer: {names}")


def mail() -> Seen:
    if not settings.EMAIL_CONFIGURED:
        return warn(
            "EMAIL_URL is not set: e-mail is not offered", "Set EMAIL_URL=smtp://user:password@host:port"
        )
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    if settings.EMAIL_HOST_USER and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        alone = warn(
            f"{server} takes the login, which passes there in the clear", "Use smtp+tls:// or smtp+ssl://"
        )
    else:
        alone = ok(
            f"{server} takes the login"
            if settings.EMAIL_HOST_USER
            else f"{server} answers; there is no login"
        )
    try:
        with EmailTransport() as transport:
            transport.open()
    except ChannelBroken as error:
        return fail(f"{server}: {error}", "Check user, password and the kind of TLS in EMAIL_URL.")
    except ChannelDown as error:
        return fail(
            f"{server}: {error}",
            "Check host and port in EMAIL_URL, smtp+tls:// (587) or smtp+ssl:// (465), and the firewall.",
        )
    except DeliveryError as error:
        return fail(f"{server}: {error}", "Check EMAIL_URL.")
    return (
        alone
        if settings.EMAIL_BACKEND.endswith("bounded_smtp.EmailBackend")
        else ok("mails go to no mail server")
    )


def rest() -> Seen:
    url = settings.PAI_REST_SERVER_URL
    if not (url and settings.PAI_REST_SERVER_TOKEN):
        return ok("not set: the cluster's users are not read")
    try:
        users = rest_server.fetch_users(url, settings.PAI_REST_SERVER_TOKEN)
    except rest_server.RestServerError as error:
        todo = "Check PAI_REST_SERVER_URL, and that PAI_REST_SERVER_TOKEN is an admin's and has not run out."
        return fail(str(error), todo)
    return ok(f"{url} names {len(users)} users")


def site() -> Iterator[Seen]:
    """This site at its BASE_URL, through whatever proxies stand before it."""
    url = settings.BASE_URL
    unreachable = "If the web process runs, BASE_URL or the proxy is wrong, or this machine cannot reach it."
    try:
        with requests.Session() as session:
            session.trust_env = False  # past proxies of the environment, but with its authorities
            session.verify = authorities() or True
            answer = session.get(f"{url}/healthz", timeout=ASK_SECONDS, allow_redirects=False, stream=True)
            body = answer.raw.read(ANSWER_BYTES, decode_content=True)
            secure = "Strict-Transport-Security" in answer.headers
    except requests.exceptions.SSLError as error:
        yield fail(f"{url} has no certificate that is trusted: {error}", "Mend the proxy's certificate.")
        return
    except requests.RequestException as error:
        yield warn(f"{url} cannot be asked: {type(error).__name__}", unreachable)
        return
    if answer.status_code == http.HTTPStatus.BAD_REQUEST:
        yield fail(
            f"{url} answers 400: the name in the request is not among ALLOWED_HOSTS",
            "Let the proxy pass the host on (nginx: proxy_set_header Host $http_host).",
        )
    elif answer.is_redirect:
        yield fail(
            f"{url}/healthz leads to {answer.headers.get('Location', '')}",
            "Set BASE_URL to where it ends, and let the proxy send X-Forwarded-Proto.",
        )
    elif not _is_ours(body):
        yield fail(
            f"{url} answers {answer.status_code}, and is not Notifcenter", "Set BASE_URL to this site."
        )
    else:
        yield ok(f"{url} answers {answer.status_code}")
        if url.startswith("https:") and settings.SECURE_HSTS_SECONDS and not secure:
            yield fail(
                "the proxy does not say that people come by HTTPS, so that signing in fails",
                "Let it send X-Forwarded-Proto (nginx: proxy_set_header X-Forwarded-Proto $scheme).",
            )
        yield _websocket(url)
        yield proxies.forwarding(url)


def _is_ours(body: bytes) -> bool:
    try:
        return json.loads(body)["status"] in ("ok", "failing")
    except (ValueError, KeyError, TypeError):
        return False


def _websocket(url: str) -> Seen:
    """Whether an upgrade reaches the web process; nobody signs in."""
    parts = urlsplit(url)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "bm90aWZjZW50ZXItZG9jdA==",
        "Origin": url,
    }
    try:
        with closing(connection(parts)) as opened:
            opened.request("GET", f"{parts.path}/ws/notifications/", headers=headers)
            status = opened.getresponse().status
    except (TimeoutError, OSError, http.client.HTTPException) as error:
        return fail(f"a websocket is not answered: {type(error).__name__}", "Look at the proxy's log.")
    if status in (http.HTTPStatus.SWITCHING_PROTOCOLS, http.HTTPStatus.FORBIDDEN):
        return ok("websockets come through")
    return fail(
        f"a websocket is answered {status}: the bell falls back to asking",
        "Let the proxy pass Upgrade and Connection on; deploy/nginx and deploy/caddy show how.",
    )
