"""Pages of notifications in the shape of Django REST framework's cursor pages."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from notifications import finding, inbox
from notifications.finding import Filters
from notifications.models import Notification
from notifications.serializers import MAX_ID

PAGE_SIZE = 30


class StrictCursorPagination(CursorPagination):
    def decode_cursor(self, request: Any) -> Cursor | None:
        """Raises ValidationError for what was never given out, also where the base class would pass it on."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
            if cursor is None or cursor.position is None or 0 <= int(cursor.position) <= MAX_ID:
                return cursor
        except (NotFound, ValueError):
            pass
        raise ValidationError({"cursor": [gettext("Not a valid cursor; start again without one.")]})


class NotificationPages(StrictCursorPagination):
    """A cursor's position is the id behind which its page begins."""

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = inbox.MAX_PAGE

    _next: Cursor | None = None
    _previous: Cursor | None = None

    def read(self, request: Request, *, user_id: int, filters: Filters) -> list[Notification]:
        """One page, as request and filters say. Raises ValidationError for a cursor that was never given out.

        The first has what came back from being snoozed at its head, as if it were new.
        """
        self.base_url = request.build_absolute_uri()
        cursor = self.decode_cursor(request)
        start = int(cursor.position) if cursor and cursor.position is not None else None
        backward = bool(cursor and cursor.reverse)
        found = finding.find(
            user_id=user_id,
            filters=filters,
            size=self.get_page_size(request) or PAGE_SIZE,
            start=start,
            ascending=(filters.after is not None) != backward,
        )
        first = [] if cursor else finding.returned(user_id=user_id, filters=filters)
        rows = finding.load(list(dict.fromkeys([*first, *(found.ids[::-1] if backward else found.ids)])))
        on = None if found.go_on is None else _cursor(backward, found.go_on)
        back = None
        if start is not None and rows:
            back = _cursor(not backward, rows[-1 if backward else 0].pk)
        self._next, self._previous = (back, on) if backward else (on, back)
        return rows

    def get_next_link(self) -> str | None:
        return self.encode_cursor(self._next) if self._next else None

    def get_previous_link(self) -> str | None:
        return self.encode_cursor(self._previous) if self._previous else None


def _cursor(backward: bool, position: int) -> Cursor:
    return Cursor(offset=0, reverse=backward, position=position)
