"""The settings, the database, and what the parts of the product leave in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import DatabaseError, connection

from accounts import checks
from notifcenter.doctor.finding import Check, Seen, fail, ok, warn
from notifications import health

SHORTEST_KEY = 50
FEWEST_LETTERS = 5
"""Both as Django's own `check --deploy` has it."""
LATE_CLOCK_SECONDS = 2.0
WRONG_CLOCK_SECONDS = 60.0
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1", "[::1]")
LOOK_THERE = "Look at docs/troubleshooting.md."
STATIC_FILE = "notifcenter/define.js"


def secret_key() -> Iterator[Seen]:
    key: str = settings.SECRET_KEY
    todo = "Set SECRET_KEY to random text, as `openssl rand -hex 32` makes it; people sign in again then."
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_LETTERS or key.startswith("django-insecure-"):
        yield fail("SECRET_KEY is short or simple enough to be guessed", todo)
    else:
        yield ok("SECRET_KEY is long enough")
    if settings.DEBUG:
        yield fail("DEBUG is on: errors show settings and code to everybody", "Take DEBUG away.")


def tokens() -> Seen:
    if not settings.PAI_JWT_SECRET:
        return ok("PAI_JWT_SECRET is not set: no token of the cluster opens anything")
    for found in checks.tokens_secret(None):
        return warn(str(found.msg), str(found.hint))
    return ok("PAI_JWT_SECRET is long enough")


def database() -> Seen:
    started = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), current_database()")
            version, name = cursor.fetchone()
    except DatabaseError as error:
        return fail(
            f"the database does not answer: {error}",
            "Check DATABASE_URL, that PostgreSQL runs, and that its pg_hba.conf lets this machine in.",
        )
    return ok(
        f"PostgreSQL {version}, database {name}, answered in {(time.monotonic() - started) * 1000:.0f} ms"
    )


def clock() -> Seen:
    before = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    middle = before + (datetime.now(UTC) - before) / 2
    seconds = abs((theirs - middle).total_seconds())
    text = f"this machine's clock and the database's differ by {seconds:.1f} seconds"
    if seconds > LATE_CLOCK_SECONDS:
        level = fail if seconds > WRONG_CLOCK_SECONDS else warn
        return level(text, "Let both follow the same time servers (chrony, systemd-timesyncd).")
    return ok(text)


def part(name: str, fine: str) -> Check:
    """One of the parts of /healthz, which says itself what to do."""

    def check() -> Seen:
        what, _, todo = health.CHECKS[name]().partition(". ")
        return fail(what.rstrip("."), todo or LOOK_THERE) if what else ok(fine)

    return check


def static_files() -> Seen:
    if finders.find(STATIC_FILE) is None:
        return fail(f"{STATIC_FILE} is not found", "Install Notifcenter again: its static files are missing.")
    return ok("scripts and styles are there")


def hosts() -> Iterator[Seen]:
    """Whether BASE_URL and ALLOWED_HOSTS fit together."""
    parts = urlsplit(settings.BASE_URL)
    host = parts.hostname or ""
    allowed = any(_matches(host, one) for one in settings.ALLOWED_HOSTS)
    if "*" in settings.ALLOWED_HOSTS:
        yield warn(
            "ALLOWED_HOSTS is *: anybody may choose the host in links", f"Set ALLOWED_HOSTS={host},127.0.0.1"
        )
    elif not allowed:
        yield fail(f"{host} of BASE_URL is not among ALLOWED_HOSTS", f"Set ALLOWED_HOSTS={host},127.0.0.1")
    else:
        yield ok(f"{host} of BASE_URL is among ALLOWED_HOSTS")
    if parts.scheme == "http" and host not in LOCAL_HOSTS:
        yield warn(
            "BASE_URL is http://: cookies and tokens can be read on their way, mails have no unsubscribe button",
            "Put a proxy with TLS before it, and set BASE_URL=https://…",
        )


def sender() -> Seen:
    """Whether mail servers may take the address that mails come from."""
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    if settings.EMAIL_CONFIGURED and "." not in address.partition("@")[2]:
        todo = "Set DEFAULT_FROM_EMAIL to an address of a domain that your mail server sends for."
        return warn(f"mails come from {address}, which mail servers refuse or put aside as junk", todo)
    return ok(f"mails come from {address}")


def _matches(host: str, pattern: str) -> bool:
    pattern = pattern.strip("[]").lower()
    return host == pattern or (pattern.startswith(".") and (host == pattern[1:] or host.endswith(pattern)))


PARTS: dict[str, str] = {
    "migrations": "all migrations are done",
    "capture": "the trigger and all columns are in place",
    "poller": "a poller has given a sign of life",
    "channels": "no channel has paused by itself",
    "deliveries": "nothing waits to go out for longer than it should",
}
ALONE: dict[str, Check] = {
    "secret key": secret_key,
    "tokens": tokens,
    "hosts": hosts,
    "sender": sender,
    "static files": static_files,
}
