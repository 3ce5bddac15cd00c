"""The admin's view of what was told, how it went out, and what could not be digested.

What the poller and the workers write is read-only here: an edit would say that something happened which never
did.
No page counts or sorts a whole table, see `long_tables`.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from notifications.delivery_admin import DeliveryAdmin
from notifications.long_tables import LongTableAdmin, chosen_ids, job_or_user
from notifications.models import Notification
from notifications.sources.frameworks import changes
from notifications.sources.frameworks.models import CapturedChange, FailedChange, WaitingJob
from notifications.sources.ingest import line
from notifications.sources.ingest.models import Received

__all__ = ["DeliveryAdmin"]  # registers itself


@admin.register(Notification)
class NotificationAdmin(LongTableAdmin):
    list_display = ["id", "event", "job_name", "user", "occurred_at", "read_at"]
    list_filter = ["event"]
    list_select_related = ["user"]
    search_help_text = (
        f"Exact id; or job name, framework name or user name, among the newest {LongTableAdmin.newest_rows:,}"
    )

    def look_for(self, term: str) -> Q:
        return job_or_user(term)

    def by_id(self, number: int) -> Q:
        return Q(pk=number)


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
    newest_rows = None
    actions = ["try_again"]

    @admin.display(description="error")
    def short_error(self, change: FailedChange) -> str:
        return change.error[:120]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Throwing one away is a decision that only a person can make."""
        return request.user.has_perm("notifications.delete_failedchange")

    @admin.action(description="Try again", permissions=["act"])
    def try_again(self, request: HttpRequest, failed: QuerySet[FailedChange]) -> None:
        chosen = chosen_ids(failed)
        self.log_action(request, chosen, "Tried again.")  # first: what is put back in line is gone from here
        count = changes.try_again(chosen)
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

    def sees_all(self, request: HttpRequest) -> bool:
        return request.GET.get(PutAsideFilter.parameter_name) == "aside"

    @admin.display(description="error")
    def short_error(self, received: Received) -> str:
        return received.error[:120]

    @admin.action(description="Try again", permissions=["act"])
    def try_again(self, request: HttpRequest, received: QuerySet[Received]) -> None:
        chosen = chosen_ids(received)
        self.log_action(request, chosen, "Tried again.")
        count = line.try_again(chosen)
        self.message_user(request, f"{count} put back in line for the poller.", messages.SUCCESS)


@admin.register(WaitingJob)
class WaitingJobAdmin(LongTableAdmin):
    newest_rows = None
    list_display = ["framework_name", "user_name", "since", "ordinal", "due_at"]
    search_help_text = "Exact framework name or user name"

    def look_for(self, term: str) -> Q:
        return Q(framework_name=term) | Q(user_name=term)
