"""The project: settings, addresses, sign-in, and the processes it runs as."""

from notifcenter.celery import app as celery_app

__all__ = ["celery_app"]
