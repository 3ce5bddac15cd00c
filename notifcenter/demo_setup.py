"""Everything that the demo needs in its database. May be run again and again."""

from __future__ import annotations

import logging

import django
from django.core.management import call_command

from notifcenter import environment

USERS = ("alice", "bob", "carol", "dave")
ADMIN = "admin"
PASSWORD = "demo"  # noqa: S105 - printed on the screen, for a demo on this machine only


class RealClusterError(Exception):
    """The message is the one line that says what to do."""


def prepare() -> None:
    """Migrated tables, the cluster's table, the capture on it, and users who can sign in.

    Keeps a connection open, and with it the private server up, until this process ends.
    """
    django.setup()
    from django.db import connection

    from notifications.sources.frameworks.demo.table import create_table

    logging.getLogger("notifications").setLevel(logging.WARNING)
    connection.ensure_connection()
    _refuse_a_real_cluster()
    call_command("migrate", verbosity=0, interactive=False)
    create_table(connection)
    call_command("capture", "install", verbosity=0)
    _users()
    _let_push_be_used()
    fire_alerts()


def _refuse_a_real_cluster() -> None:
    """The demo makes users with a known password and jobs that nobody has submitted."""
    from django.db import connection

    from notifications.sources.frameworks.demo.snapshots import NAMESPACE

    if not environment.text("DATABASE_URL"):
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('frameworks')")
        if cursor.fetchone()[0] is None:
            return
        cursor.execute(
            "SELECT EXISTS (SELECT FROM frameworks WHERE namespace IS DISTINCT FROM %s)", [NAMESPACE]
        )
        if cursor.fetchone()[0]:
            raise RealClusterError(
                "DATABASE_URL: this database holds the jobs of a real cluster, and the demo would add its own. "
                "Unset it, or start the processes one by one as in README.md."
            )


def _users() -> None:
    from django.contrib.auth.models import User

    for name in (*USERS, ADMIN):
        is_admin = name == ADMIN
        user, is_new = User.objects.get_or_create(
            username=name,
            defaults={"email": f"{name}@example.org", "is_staff": is_admin, "is_superuser": is_admin},
        )
        if is_new or not user.has_usable_password():
            user.email = user.email or f"{name}@example.org"
            user.set_password(PASSWORD)
            user.save()


def _let_push_be_used() -> None:
    """Until the admin says otherwise."""
    from preferences.kinds import Channel
    from preferences.models import ChannelPolicy

    ChannelPolicy.objects.get_or_create(channel=Channel.WEBPUSH, defaults={"enabled": True})


def fire_alerts() -> None:
    """What the cluster's monitoring might say to each user, as its Alertmanager would post it."""
    from django.utils import timezone

    from notifications.sources.ingest import alertmanager, line

    now = timezone.now()
    alerts = [
        {
            "status": "firing",
            "fingerprint": f"demo{name}",
            "startsAt": now.isoformat(),
            "labels": {
                "alertname": "GpuIdle",
                "severity": "warn",
                "username": name,
                "job_name": f"notebook-{name}",
            },
            "annotations": {
                "summary": f"The GPU of notebook-{name} has been idle for an hour",
                "description": "Others are waiting for one. Stop the notebook if you do not need it now.",
            },
        }
        for name in USERS
    ]
    body = {"version": alertmanager.VERSION, "alerts": alerts}
    line.put(alertmanager.read(body, now=now, take_ownerless=False).new)
