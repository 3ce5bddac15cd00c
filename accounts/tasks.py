"""What Celery runs of this app."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import InterfaceError, OperationalError

from accounts import sign_in, sync
from accounts.rest_server import RestServerError
from notifications.delivery import sender

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


@shared_task
def forget_failed_sign_ins() -> None:
    """The rows of django-axes that count no longer."""
    removed = sign_in.forget_expired(wait=sender.stopping.wait)
    if removed:
        logger.info("failed sign-ins forgotten count=%d", removed)
