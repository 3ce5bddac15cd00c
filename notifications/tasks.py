"""What Celery runs. A message says no more than that there may be work; the tables say what."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import InterfaceError, OperationalError, ProgrammingError

from notifications.delivery import sender

logger = logging.getLogger(__name__)

RUN_SECONDS = 30.0


@shared_task
def deliver_due() -> None:
    """Send what is due. Any number of these may run at once."""
    try:
        sender.deliver_for(seconds=RUN_SECONDS)
    except (OperationalError, InterfaceError) as error:
        logger.warning("database away, the next sweep goes on error=%r", str(error).strip())
    except ProgrammingError as error:
        logger.error("no delivery table, run: python manage.py migrate error=%r", str(error).strip())


@worker_shutting_down.connect
def stop_sending(**_: Any) -> None:
    sender.stopping.set()
