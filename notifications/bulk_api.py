"""REST: many of the signed-in user's own notifications at once, and taking that back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import inbox, marking, muting, undoing
from notifications.api import own_id
from notifications.jobs_api import JobsAPIView, viewer
from notifications.serializers import MAX_ID, BulkAnswerSerializer, BulkSerializer, filters_of
from preferences.services import Mute


class BulkView(JobsAPIView):
    @extend_schema(request=BulkSerializer, responses=BulkAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Mark, archive, save or snooze what has these `ids`, or matches a `filter`, or mute its jobs; or `undo` one
        such answer.

        A filter is worked off from the newest to the oldest, a bounded part with each request: while the answer has a
        `next`, send the same again with it as `cursor`. Each answer has an `undo` of its own, which takes back
        exactly what it has changed.
        """
        what = BulkSerializer(data=request.data)
        what.is_valid(raise_exception=True)
        user_id, wanted = own_id(request), what.validated_data
        if "undo" in wanted:
            return self._answer(user_id, self._undo(user_id, wanted["undo"]))
        where = (
            {"ids": wanted["ids"]}
            if "ids" in wanted
            else {
                "filters": filters_of(wanted["filter"]),
                "start": _start(wanted["cursor"]) if "cursor" in wanted else None,
            }
        )
        if wanted["action"] in muting.ACTIONS:
            return self._mute(viewer(request), wanted, where)
        change = marking.change if "ids" in where else marking.change_matching
        changed = change(user_id=user_id, action=wanted["action"], until=wanted.get("until"), **where)
        return self._changed(user_id, changed.count, changed.go_on, marking.undo_token(user_id, changed))

    def _mute(self, user: User, wanted: dict[str, Any], where: dict[str, Any]) -> Response:
        mute = Mute(wanted.get("until")) if wanted["action"] == muting.MUTE else None
        change = muting.change if "ids" in where else muting.change_matching
        changed = change(viewer=user, mute=mute, **where)
        return self._changed(user.pk, changed.count, changed.go_on, muting.undo_token(user.pk, changed))

    def _undo(self, user_id: int, token: str) -> int:
        for undo in (marking.undo, muting.undo):  # each knows its own by their salt
            with suppress(undoing.CannotUndoError):
                return undo(user_id=user_id, token=token)
        raise ValidationError({"undo": [gettext("This can no longer be taken back.")]})

    def _changed(self, user_id: int, count: int, go_on: int | None, undo: str) -> Response:
        return self._answer(user_id, count, next=None if go_on is None else str(go_on), undo=undo)

    def _answer(self, user_id: int, changed: int, **more: Any) -> Response:
        count = inbox.count_unread(user_id)
        answer = {"unread": count.unread, "more": count.more, "changed": changed, "next": None, "undo": ""}
        return Response({**answer, **more})


def _start(cursor: str) -> int:
    if cursor.isascii() and cursor.isdecimal() and len(cursor) <= 19 and int(cursor) <= MAX_ID:
        return int(cursor)
    raise ValidationError({"cursor": [gettext("Not a valid cursor; start again without one.")]})
