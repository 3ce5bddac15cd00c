from django.apps import AppConfig
from django.conf import settings


class NotificationsConfig(AppConfig):
    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from notifications import receivers  # noqa: F401 - connects them

        if settings.TEMPLATE_DIR:
            from notifications.delivery import samples

            if problem := samples.problem():
                raise SystemExit(f"TEMPLATE_DIR: {problem}")
