"""Which channels there are besides the web portal."""

from __future__ import annotations

from collections.abc import Mapping

from notifications.delivery.alertmanager import AlertmanagerTransport
from notifications.delivery.apprise import AppriseTransport
from notifications.delivery.base import Transport
from notifications.delivery.email import EmailTransport
from notifications.delivery.webhook import WebhookTransport
from notifications.delivery.webpush import WebPushTransport
from preferences.kinds import Channel

TRANSPORTS: Mapping[Channel, type[Transport]] = {
    Channel.EMAIL: EmailTransport,
    Channel.ALERTMANAGER: AlertmanagerTransport,
    Channel.APPRISE: AppriseTransport,
    Channel.WEBHOOK: WebhookTransport,
    Channel.WEBPUSH: WebPushTransport,
}
