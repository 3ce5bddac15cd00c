"""What Celery runs of this app."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import InterfaceError, OperationalError

from accounts import sync
from accounts.rest_server import RestServerError

logger = logging.getLogger(__name__)


@shared_task
def sync_users() -> None:
    """Bring the cluster's users here; what fails is tried again at the next turn."""
    try:
        sync.sync_users()
    except (RestServerError, sync.SyncRefusedError) as error:
        logger.warning("users not synced error=%r", str(error))
    except (OperationalError, InterfaceError) as error:
        logger.warning("users not synced, database away error=%r", str(error).strip())
