"""The database of the tests: ours by migrations, `frameworks` as the cluster makes it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker

from notifcenter.assets import AssetsMiddleware
from notifcenter.embedded import server
from notifications.sources.frameworks.demo.table import create_table
from tests.database import empty_tables

LEDGER = "ledger"


def pytest_configure() -> None:
    settings.PASSWORD_HASHERS = ["tests.hashers.QuickHasher"]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell has started this in the background, and the processes that the tests start would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The private server outlives the death of its processes, but need not outlive the machine's."""
    if settings.DATABASES["default"]["ENGINE"] != "notifcenter.embedded":
        return
    params = server.ensure_running(settings.DATA_DIR, "postgres")
    with closing(psycopg2.connect(dbname="postgres", **params)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            for name in ("fsync", "full_page_writes"):
                cursor.execute(f"ALTER SYSTEM SET {name} = off")
            cursor.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        create_table(connection)
        call_command("capture", "install", verbosity=0)
        yield
        with (
            connection.cursor() as cursor
        ):  # sessions of processes that were killed may outlive them a little
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(autouse=True)
def _empty_frameworks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Django empties its own tables after a test with real transactions; `frameworks` is not its own."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM frameworks")


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Django's own truncates all tables, and makes all permissions anew, after each test with real transactions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty_tables())
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_once() -> Iterator[None]:
    """As in a web process; each of Django's test clients has middleware of its own, which would look for them again."""
    find, found = AssetsMiddleware.add_files_from_finders, dict[str, Any]()

    def find_once(middleware: Any) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AssetsMiddleware, "add_files_from_finders", find_once)
        yield


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", "alice@example.org", "alice-password")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", "bob@example.org", "bob-password")


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.org", "root-password")


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes a line of measured figures, which is printed at the end of the run, also when the test passes."""
    return lambda text: request.node.user_properties.append((LEDGER, text))


LONGEST_FIRST = ("chaos", "browser", "asgi", "integration")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that take longest begin, so that no process is left alone with them in the end."""
    rank = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.parent.name, len(rank)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.stats.get(kind, ())]
    lines = [text for one in reports for name, text in one.user_properties if name == LEDGER]
    if lines:
        terminalreporter.section("figures")
    for text in lines:
        terminalreporter.write_line(text)
