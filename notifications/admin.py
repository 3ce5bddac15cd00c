"""The admin's view of what was told, how it went out, and what could not be digested.

What the poller and the workers write is read-only here: an edit would say that something happened which never
did.
No page counts or sorts a whole table: lists are by id, and their length is counted up to a limit.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from notifications.delivery import queue
from notifications.models import Delivery, DeliveryState, Notification
from notifications.sources.frameworks import changes
from notifications.sources.frameworks.models import CapturedChange, FailedChange, WaitingJob
from notifications.sources.ingest import line
from notifications.sources.ingest.models import Received
from preferences.paging import CappedPaginator

MAX_CHOSEN_ROWS = 10_000
MAX_BIGINT = 2**63 - 1


class LongTableAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read-only, newest first, searched by exact values that an index can find."""

    paginator = CappedPaginator
    show_full_result_count = False
    ordering = ["-pk"]
    sortable_by = ()
    list_per_page = 50
    search_fields = ["pk"]  # shows the search box; what it does is `look_for`

    def look_for(self, term: str) -> Q:
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip().replace("\x00", "")
        return (queryset.filter(self.look_for(term)) if term else queryset), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")


def job_or_user(term: str, *, prefix: str = "") -> Q:
    """A notification by its id, or those of a framework, a job or a user by the exact name."""
    found = (
        Q(**{f"{prefix}framework_name": term})
        | Q(**{f"{prefix}job_name": term})
        | Q(**{f"{prefix}user__username": term})
    )
    return found | Q(**{f"{prefix}pk": int(term)}) if is_id(term) else found


def is_id(term: str) -> bool:
    return term.isascii() and term.isdecimal() and len(term) <= 19 and int(term) <= MAX_BIGINT


@admin.register(Notification)
class NotificationAdmin(LongTableAdmin):
    list_display = ["id", "event", "job_name", "user", "occurred_at", "read_at"]
    list_filter = ["event"]
    list_select_related = ["user"]
    search_help_text = "Exact id, job name, framework name or user name"

    def look_for(self, term: str) -> Q:
        return job_or_user(term)


@admin.register(Delivery)
class DeliveryAdmin(LongTableAdmin):
    list_display = [
        "id",
        "channel",
        "target",
        "state",
        "attempts",
        "refusals",
        "due_at",
        "sent_at",
        "user",
        "job",
        "error",
    ]
    list_filter = ["state", "channel"]
    list_select_related = ["notification__user", "target"]
    search_help_text = "Exact id, or job name, framework name or user name of the notification"
    actions = ["try_again"]

    def look_for(self, term: str) -> Q:
        found = job_or_user(term, prefix="notification__")
        return found | Q(pk=int(term)) if is_id(term) else found

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

    @admin.action(description="Try again", permissions=["try_again"])
    def try_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        chosen = list(deliveries.values_list("id", flat=True)[:MAX_CHOSEN_ROWS])
        count = queue.try_again(chosen)
        self.message_user(request, f"{count} put back in line; they go out within seconds.", messages.SUCCESS)
        if left := len(chosen) - count:
            said = f"{left} left alone: only failed and dropped ones can be tried again."
            self.message_user(request, said, messages.WARNING)


class ChangeAdmin(LongTableAdmin):
    list_display = ["id", "framework_name", "user_name", "old_state", "new_state", "changed_at"]
    search_help_text = "Exact framework name or user name"

    def look_for(self, term: str) -> Q:
        return Q(framework_name=term) | Q(user_name=term)


@admin.register(CapturedChange)
class CapturedChangeAdmin(ChangeAdmin):
    pass


@admin.register(FailedChange)
class FailedChangeAdmin(ChangeAdmin):
    list_display = ["id", "framework_name", "user_name", "old_state", "new_state", "failed_at", "short_error"]
    actions = ["try_again"]

    @admin.display(description="error")
    def short_error(self, change: FailedChange) -> str:
        return change.error[:120]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Throwing one away is a decision that only a person can make."""
        return request.user.has_perm("notifications.delete_failedchange")

    @admin.action(description="Try again", permissions=["try_again"])
    def try_again(self, request: HttpRequest, failed: QuerySet[FailedChange]) -> None:
        count = changes.try_again(list(failed.values_list("id", flat=True)[:MAX_CHOSEN_ROWS]))
        self.message_user(request, f"{count} put back in line for the poller.", messages.SUCCESS)


class PutAsideFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "In line"), ("aside", "Put aside")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Received]) -> QuerySet[Received]:
        match self.value():
            case "waiting":
                return queryset.filter(waiting=True)
            case "aside":
                return queryset.exclude(error="")
        return queryset


@admin.register(Received)
class ReceivedAdmin(LongTableAdmin):
    list_display = ["id", "kind", "user_name", "key", "received_at", "waiting", "short_error"]
    list_filter = [PutAsideFilter, "kind"]
    search_help_text = "Exact key or user name"
    actions = ["try_again"]

    def look_for(self, term: str) -> Q:
        return Q(key=term) | Q(user_name=term)

    @admin.display(description="error")
    def short_error(self, received: Received) -> str:
        return received.error[:120]

    @admin.action(description="Try again", permissions=["try_again"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[Received]) -> None:
        count = line.try_again(list(chosen.values_list("id", flat=True)[:MAX_CHOSEN_ROWS]))
        self.message_user(request, f"{count} put back in line for the poller.", messages.SUCCESS)


@admin.register(WaitingJob)
class WaitingJobAdmin(LongTableAdmin):
    list_display = ["framework_name", "user_name", "since", "ordinal", "due_at"]
    search_help_text = "Exact framework name or user name"

    def look_for(self, term: str) -> Q:
        return Q(framework_name=term) | Q(user_name=term)
