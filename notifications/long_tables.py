"""Admin pages of tables that grow for ever."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from preferences.paging import CappedPaginator

logger = logging.getLogger(__name__)

MAX_CHOSEN_ROWS = 10_000
MAX_BIGINT = 2**63 - 1
MOST_IDS_LOGGED = 20


class LongTableAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read-only, newest first, searched by exact values.

    Lists, filters and searches see the newest rows only, so that none reads a whole table; a row that is known by its
    id is found however old it is.
    """

    newest_rows: int | None = 100_000
    """None for a table that stays short, or whose key is no number."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they count whole tables
    ordering = ["-pk"]
    sortable_by = ()
    list_per_page = 50
    search_fields = ["pk"]  # shows the search box; what it does is `look_for`

    def look_for(self, term: str) -> Q:
        raise NotImplementedError

    def by_id(self, number: int) -> Q:
        """The rows that are known by this number; Q(pk__in=()) for none."""
        return Q(pk__in=())

    def sees_all(self, request: HttpRequest) -> bool:
        """Whether an index finds what this request filters for, however old it is."""
        return self.newest_rows is None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip().replace("\x00", "")
        if is_id(term) and (found := queryset.filter(self.by_id(int(term)))).exists():
            return found, False
        if not self.sees_all(request):
            queryset = queryset.filter(pk__gt=self._newest_id() - (self.newest_rows or 0))
        return (queryset.filter(self.look_for(term)) if term else queryset), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def log_action(self, request: HttpRequest, ids: Sequence[int], what: str) -> None:
        """Who did what to which rows: in the admin's history of each, and as a line in the log."""
        if not ids:
            return
        rows = self.model._default_manager.filter(pk__in=ids)
        LogEntry.objects.log_actions(_user_id(request), rows, CHANGE, what)
        logger.info(
            "admin action=%r by=%d model=%s rows=%d ids=%s",
            what, _user_id(request), self.opts.model_name, len(ids), ",".join(map(str, ids[:MOST_IDS_LOGGED])),
        )  # fmt: skip

    def _newest_id(self) -> int:
        return self.model._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0


def chosen_ids(queryset: QuerySet[Any]) -> list[int]:
    return list(queryset.values_list("pk", flat=True)[:MAX_CHOSEN_ROWS])


def job_or_user(term: str, *, prefix: str = "") -> Q:
    """Notifications of a framework, a job or a user by the exact name."""
    user_id = User.objects.filter(username=term).values_list("pk", flat=True).first()
    found = Q(**{f"{prefix}framework_name": term}) | Q(**{f"{prefix}job_name": term})
    return found if user_id is None else found | Q(**{f"{prefix}user_id": user_id})


def is_id(term: str) -> bool:
    return term.isascii() and term.isdecimal() and len(term) <= 19 and int(term) <= MAX_BIGINT


def _user_id(request: HttpRequest) -> int:
    assert request.user.pk is not None
    return request.user.pk
