"""Targets of users, made as the product makes them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from notifications import own_targets
from notifications.models import Delivery
from preferences.kinds import Channel
from preferences.models import ChannelPolicy, Target
from tests.deliveries import make_delivery


def allow(*channels: Channel) -> None:
    for channel in channels:
        ChannelPolicy.objects.update_or_create(channel=channel, defaults={"enabled": True})


def add_webhook(user: User, url: str, *, name: str = "my server") -> tuple[Target, str]:
    """The target and its key."""
    allow(Channel.WEBHOOK)
    return own_targets.add(user=user, channel=Channel.WEBHOOK, name=name, address=url)


def add_chat(user: User, address: str, *, name: str = "my chat") -> Target:
    allow(Channel.APPRISE)
    return own_targets.add(user=user, channel=Channel.APPRISE, name=name, address=address)[0]


def make_target_delivery(target: Target, **values: Any) -> Delivery:
    delivery = make_delivery(target.user, **values)
    Delivery.objects.filter(pk=delivery.pk).update(channel=target.channel, target=target)
    return Delivery.objects.get(pk=delivery.pk)
