"""Django's PostgreSQL backend, over the private server."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from notifcenter.embedded import server
from notifcenter.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        return {**params, **server.ensure_running(settings.DATA_DIR, settings.PRIVATE_DATABASE["NAME"])}
