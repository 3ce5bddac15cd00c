"""The command that takes over the users of the cluster, and what it may write."""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command

from accounts.models import ClusterAccount
from preferences.models import ChannelPreference, UserPreference

PREFERENCES = "/api/v1/preferences/"


def run(*arguments: str) -> tuple[list[str], list[str]]:
    """What the command prints on its two outputs."""
    out, err = StringIO(), StringIO()
    call_command("sync_users", *arguments, stdout=out, stderr=err)
    return out.getvalue().splitlines(), err.getvalue().splitlines()


def everything() -> list[Any]:
    """All that a sync may write."""
    return [
        sorted(User.objects.values_list("username", "email", "is_active", "is_staff", "is_superuser", "password")),
        sorted(ClusterAccount.objects.values_list("user__username", "is_local", "is_admin", "gone_at"), key=str),
        sorted(ChannelPreference.objects.values_list("user__username", "channel", "enabled", "events", "is_own")),
        sorted(UserPreference.objects.values_list("user__username", "address_is_own")),
    ]  # fmt: skip


def mail_of(username: str) -> bool:
    return ChannelPreference.objects.get(user__username=username, channel="email").enabled
