"""The delivery log: what went out, what did not and why, with the channels' switches and figures above it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone

from notifications.delivery import figures, pausing, queue
from notifications.delivery.registry import TRANSPORTS
from notifications.long_tables import LongTableAdmin, chosen_ids, job_or_user
from notifications.models import ENDED_UNSENT, Delivery, DeliveryState
from preferences.kinds import Channel
from preferences.models import ChannelPolicy

MOST_SECOND_COPIES = 50
AGES = {
    "hour": ("Past hour", timedelta(hours=1)),
    "day": ("Past day", timedelta(days=1)),
    "week": ("Past 7 days", timedelta(days=7)),
}
OLDER = "older"


class AgeFilter(admin.SimpleListFilter):
    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((name, label) for name, (label, _) in AGES.items()), (OLDER, "Older than a day")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        if self.value() in AGES:
            return queryset.filter(created_at__gte=timezone.now() - AGES[str(self.value())][1])
        if self.value() == OLDER:
            return queryset.filter(created_at__lt=timezone.now() - timedelta(days=1))
        return queryset


@admin.register(Delivery)
class DeliveryAdmin(LongTableAdmin):
    change_list_template = "admin/notifications/delivery/list.html"
    list_display = [
        "id",
        "channel",
        "target",
        "state",
        "user",
        "job",
        "error",
        "attempts",
        "refusals",
        "created_at",
        "due_at",
        "sent_at",
    ]
    list_filter = ["state", "channel", AgeFilter]
    list_select_related = ["notification__user", "target"]
    search_help_text = (
        f"Exact id; or job name, framework name or user name, among the newest {LongTableAdmin.newest_rows:,}"
    )
    actions = ["resend", "send_second_copy", "cancel"]

    def look_for(self, term: str) -> Q:
        return job_or_user(term, prefix="notification__")

    def by_id(self, number: int) -> Q:
        return Q(pk=number) | Q(notification_id=number)

    def sees_all(self, request: HttpRequest) -> bool:
        return request.GET.get("state__exact", request.GET.get("state")) in ENDED_UNSENT

    @admin.display
    def user(self, delivery: Delivery) -> str:
        return delivery.notification.user.get_username()

    @admin.display
    def job(self, delivery: Delivery) -> str:
        return delivery.notification.job_name

    @admin.display(description="last error")
    def error(self, delivery: Delivery) -> str:
        if delivery.state == DeliveryState.LEASED and delivery.due_at < timezone.now():
            return "The lease ran out: its worker ended or is stuck. The next worker that is free takes it."
        return delivery.last_error[:120]

    @admin.action(description="Resend what failed or was dropped", permissions=["act"])
    def resend(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        chosen = chosen_ids(deliveries)
        ids = queue.try_again(chosen)
        self.log_action(request, ids, "Resent.")
        self._say(
            request, ids, chosen, "put back in line; they go out within seconds", "are failed or dropped"
        )

    @admin.action(description="Send a second copy of what was sent", permissions=["act"])
    def send_second_copy(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        chosen = chosen_ids(deliveries)
        if len(chosen) > MOST_SECOND_COPIES:
            said = (
                f"Nothing was done: choose at most {MOST_SECOND_COPIES}, since people have got these already."
            )
            self.message_user(request, said, messages.ERROR)
            return
        ids = queue.try_again(chosen, states=[DeliveryState.SENT])
        self.log_action(request, ids, "Second copy sent.")
        self._say(request, ids, chosen, "put back in line; they go out within seconds", "have been sent")

    @admin.action(description="Cancel what waits", permissions=["act"])
    def cancel(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        chosen = chosen_ids(deliveries)
        ids = queue.cancel(chosen, by=request.user.get_username())
        self.log_action(request, ids, "Cancelled.")
        self._say(request, ids, chosen, "cancelled", "wait; what is being sent can no longer be stopped")

    def _say(self, request: HttpRequest, ids: list[int], chosen: list[int], done: str, fit: str) -> None:
        self.message_user(request, f"{len(ids)} {done}.", messages.SUCCESS if ids else messages.WARNING)
        if left := len(chosen) - len(ids):
            self.message_user(request, f"{left} left alone: it is for those that {fit}.", messages.WARNING)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"channels": figures.of_channels(), "may_pause": _may_pause(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "channels/<str:name>/<str:action>/",
            self.admin_site.admin_view(self.switch_channel),
            name="notifications_channel_switch",
        )
        return [own, *super().get_urls()]

    def switch_channel(self, request: HttpRequest, name: str, action: str) -> HttpResponse:
        """POST: pause or resume one channel."""
        if name not in TRANSPORTS or action not in SWITCHES:
            raise Http404("There is no such channel or switch.")
        if request.method != "POST" or not _may_pause(request):
            raise PermissionDenied
        channel = Channel(name)
        switch, said = SWITCHES[action]
        with transaction.atomic():
            switch(channel, by=request.user.get_username())
            policy = ChannelPolicy.objects.filter(channel=channel)
            LogEntry.objects.log_actions(request.user.pk, policy, CHANGE, said)  # type: ignore[arg-type]
        self.message_user(request, f"{channel.label}: {said}", messages.SUCCESS)
        return redirect("admin:notifications_delivery_changelist")


SWITCHES = {"pause": (pausing.pause, "Paused."), "resume": (pausing.resume, "Resumed.")}


def _may_pause(request: HttpRequest) -> bool:
    return request.user.has_perm("preferences.change_channelpolicy")
