"""REST: many of the signed-in user's own notifications at once, and taking that back."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications import inbox, marking
from notifications.api import own_id
from notifications.serializers import MAX_ID, BulkAnswerSerializer, BulkSerializer, filters_of


class BulkView(APIView):
    @extend_schema(request=BulkSerializer, responses=BulkAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Mark, archive, save or snooze what has these `ids`, or matches a `filter`; or `undo` one such answer.

        A filter is worked off from the newest to the oldest, a bounded part with each request: while the answer has a
        `next`, send the same again with it as `cursor`. Each answer has an `undo` of its own, which takes back
        exactly what it has changed.
        """
        what = BulkSerializer(data=request.data)
        what.is_valid(raise_exception=True)
        user_id, wanted = own_id(request), what.validated_data
        if "undo" in wanted:
            return self._answer(user_id, self._undo(user_id, wanted["undo"]))
        how = {"user_id": user_id, "action": wanted["action"], "until": wanted.get("until")}
        if "ids" in wanted:
            changed = marking.change(ids=wanted["ids"], **how)
        else:
            start = _start(wanted["cursor"]) if "cursor" in wanted else None
            changed = marking.change_matching(filters=filters_of(wanted["filter"]), start=start, **how)
        go_on = None if changed.go_on is None else str(changed.go_on)
        return self._answer(user_id, changed.count, next=go_on, undo=marking.undo_token(user_id, changed))

    def _undo(self, user_id: int, token: str) -> int:
        try:
            return marking.undo(user_id=user_id, token=token)
        except marking.CannotUndoError:
            raise ValidationError({"undo": [gettext("This can no longer be taken back.")]}) from None

    def _answer(self, user_id: int, changed: int, **more: Any) -> Response:
        count = inbox.count_unread(user_id)
        answer = {"unread": count.unread, "more": count.more, "changed": changed, "next": None, "undo": ""}
        return Response({**answer, **more})


def _start(cursor: str) -> int:
    if cursor.isascii() and cursor.isdecimal() and len(cursor) <= 19 and int(cursor) <= MAX_ID:
        return int(cursor)
    raise ValidationError({"cursor": [gettext("Not a valid cursor; start again without one.")]})
