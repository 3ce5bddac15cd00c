"""The Celery application: `celery -A notifcenter worker` sends, `celery -A notifcenter beat` starts timed work.

A message is only a hint that there is work in the delivery table; losing one delays until the worker's next sweep.
"""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifcenter.settings")

SYNC_TASK = "accounts.tasks.sync_users"
SYNC_SECONDS = 600
PRUNE_TASK = "notifications.tasks.prune"
PRUNE_SECONDS = 600
FORGET_TASK = "accounts.tasks.forget_failed_sign_ins"
FORGET_SECONDS = 600
FOLDER_POLL_SECONDS = 0.2
BROKER_CONNECT_SECONDS = 3
BROKER_SOCKET_SECONDS = 30

app = Celery("notifcenter")


def _without_broker() -> bool:
    return settings.CELERY_BROKER_URL.startswith("filesystem://")


def _users_are_synced() -> bool:
    return bool(settings.PAI_REST_SERVER_URL and settings.PAI_REST_SERVER_TOKEN)


def _schedule() -> dict[str, Any]:
    """A turn that nobody has taken by the next one is forgotten."""
    turns = {"failed sign-ins": (FORGET_TASK, FORGET_SECONDS)}
    if _users_are_synced():
        turns["users"] = (SYNC_TASK, SYNC_SECONDS)
    if settings.RETENTION_DAYS:
        turns["retention"] = (PRUNE_TASK, PRUNE_SECONDS)
    return {
        name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
        for name, (task, seconds) in turns.items()
    }


def _configuration() -> dict[str, Any]:
    folder = settings.DATA_DIR / "celery"
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": settings.CELERY_BROKER_URL,
        "broker_connection_timeout": BROKER_CONNECT_SECONDS,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # for ever
        "task_ignore_result": True,
        "worker_pool": "threads",
        "worker_concurrency": 4,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "timezone": "UTC",
        "beat_schedule_filename": str(folder / "beat"),
        "beat_schedule": _schedule(),
        **(_folder_as_broker() if _without_broker() else {"broker_transport_options": _network_options()}),
    }


def _folder_as_broker() -> dict[str, Any]:
    queue, control = settings.DATA_DIR / "celery" / "queue", settings.DATA_DIR / "celery" / "control"
    queue.mkdir(parents=True, exist_ok=True)
    control.mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": "filesystem://localhost",  # kombu warns of a URL without a host
        "broker_transport": "notifcenter.broker:Transport",
        "broker_transport_options": {
            "data_folder_in": str(queue),
            "data_folder_out": str(queue),
            "control_folder": str(control),
            "polling_interval": FOLDER_POLL_SECONDS,
        },
        "worker_enable_remote_control": False,  # killed workers would leave a queue of commands each
    }


def _network_options() -> dict[str, Any]:
    """Without these a publisher waits for ever for a broker that is away."""
    if not settings.CELERY_BROKER_URL.startswith(("redis", "sentinel")):
        return {"max_retries": 0}
    return {
        "socket_connect_timeout": BROKER_CONNECT_SECONDS,
        "socket_timeout": BROKER_SOCKET_SECONDS,
        "socket_keepalive": True,
        "max_retries": 0,
    }


app.add_defaults(_configuration)
app.autodiscover_tasks(["accounts", "notifications"])


@setup_logging.connect
def log_as_the_others(loglevel: int | None = None, **_: Any) -> None:
    """Celery then leaves our handlers alone; its `--loglevel` is for its own lines."""
    logging.config.dictConfig(settings.LOGGING)
    logging.getLogger("celery").setLevel(loglevel or logging.INFO)


@worker_init.connect
def forget_old_hints(**_: Any) -> None:
    """A folder keeps every hint that nobody has taken while no worker ran."""
    if _without_broker():
        app.control.purge()


@worker_ready.connect
def begin_at_once(**_: Any) -> None:
    if _users_are_synced():
        app.send_task(SYNC_TASK)
