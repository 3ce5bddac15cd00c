"""Syncs, and users who change something, at the same moment."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import OperationalError, connection, transaction

from accounts import sync
from notifications.sources.frameworks.names import LOCK_SPACE
from preferences import services
from preferences.kinds import Channel
from tests.clients import client_of, send
from tests.database import second_session, sql
from tests.processes import wait_for
from tests.rest_server import RestServer, cluster, person
from tests.syncing import PREFERENCES, mail_of, run

__all__ = ["cluster"]

pytestmark = pytest.mark.django_db


def test_never_two_at_a_time(cluster: RestServer) -> None:
    cluster.name(person("alice"))
    with second_session(autocommit=True) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_SPACE, sync.SYNC_LOCK])
        with pytest.raises(CommandError, match="Another sync of the users is at work"):
            run()
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, sync.SYNC_LOCK])
    assert cluster.asked == []
    assert not User.objects.exists()
    run()
    with second_session(autocommit=True) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, sync.SYNC_LOCK])
        assert cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_a_choice_made_meanwhile_is_not_overwritten(
    cluster: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user saves between the sync's first look and its write."""
    cluster.name(person("alice", "cluster@example.org", by_email=True))
    run()
    alice = User.objects.get()
    cluster.name(person("alice", "newer@example.org", by_email=False))
    real = sync._write

    def saves_first(*arguments: Any) -> None:
        send(client_of(alice), "PATCH", PREFERENCES, {
            "email_address": "own@example.org", "channels": {"email": {"enabled": False}},
        })  # fmt: skip
        send(client_of(alice), "PATCH", PREFERENCES, {"channels": {"email": {"enabled": True}}})
        real(*arguments)

    monkeypatch.setattr(sync, "_write", saves_first)
    run()
    alice.refresh_from_db()
    assert alice.email == "own@example.org"
    assert mail_of("alice") is True


@pytest.mark.django_db(transaction=True)
def test_user_and_sync_wait_for_each_other(cluster: RestServer, alice: User) -> None:
    done = threading.Event()

    def save() -> None:
        send(client_of(alice), "PATCH", PREFERENCES, {"channels": {"email": {"enabled": False}}})
        done.set()
        connection.close()

    with transaction.atomic():
        services.hold_users(["alice"])
        thread = threading.Thread(target=save)
        thread.start()
        wait_for(_somebody_waits, what="the user's save to wait")
        assert not done.is_set()
        services.follow_switches({alice: {Channel.EMAIL: True}})
    thread.join(30)
    assert mail_of("alice") is False


@pytest.mark.django_db(transaction=True)
def test_the_sync_waits_for_a_user_who_is_saving(cluster: RestServer) -> None:
    cluster.name(person("alice", "cluster@example.org"))
    run()
    alice = User.objects.get()
    cluster.name(person("alice", "newer@example.org", by_email=False))

    def sync_now() -> None:
        run()
        connection.close()

    thread = threading.Thread(target=sync_now)
    with transaction.atomic():
        channels = {Channel.EMAIL: services.ChannelChange(enabled=False)}
        services.save_preferences(user=alice, email_address="own@example.org", channels=channels)
        channels = {Channel.EMAIL: services.ChannelChange(enabled=True)}
        services.save_preferences(user=alice, channels=channels)
        thread.start()
        wait_for(_somebody_waits, what="the sync to wait")
    thread.join(30)
    alice.refresh_from_db()
    assert alice.email == "own@example.org"
    assert mail_of("alice") is True


def _somebody_waits() -> bool:
    with second_session(autocommit=True) as other, other.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        lambda user: services.save_preferences(user=user, waiting_minutes=5),
        lambda user: services.save_channel(
            user=user, channel=Channel.EMAIL, change=services.ChannelChange(enabled=False)
        ),
    ],
)
def test_who_changes_something_waits_for_a_sync_that_writes(alice: User, change: Any) -> None:
    with second_session() as syncing, syncing.cursor() as cursor:
        cursor.execute("SELECT FROM auth_user WHERE id = %s FOR NO KEY UPDATE", [alice.pk])
        sql("SET lock_timeout = '50ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            change(alice)
        sql("RESET lock_timeout")
