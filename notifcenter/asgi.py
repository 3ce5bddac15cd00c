"""The web process: `daphne notifcenter.asgi:application`."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifcenter.settings")

from django.core.asgi import get_asgi_application

http_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

from notifcenter.auth import SocketAuthentication
from notifcenter.bodies import use_bounded_bodies
from notifcenter.logs import use_our_access_log
from notifcenter.sockets import nowhere, use_bounded_sockets
from notifications.consumers import NotificationConsumer
from notifications.garbage import collect_rarely

use_bounded_sockets()
use_bounded_bodies()
use_our_access_log()

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": URLRouter(
            [
                path("ws/notifications/", SocketAuthentication(NotificationConsumer.as_asgi())),
                re_path("", nowhere),  # type: ignore[arg-type]  # typed for views
            ]
        ),
    }
)

collect_rarely()
