"""Paging of large tables in the admin."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

MAX_COUNTED_ROWS = 5_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than MAX_COUNTED_ROWS, so that a page's cost does not grow with the table.

    Rows beyond are reached by searching and filtering.
    """

    @cached_property
    def count(self) -> int:
        rows = self.object_list[:MAX_COUNTED_ROWS]
        return rows.count() if isinstance(rows, QuerySet) else len(rows)
