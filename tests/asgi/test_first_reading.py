"""When something was read or archived stays what it was."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from notifications import marking
from tests.asgi.inprocess import store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("flag", ["read", "archived"])
def test_setting_a_flag_again_does_not_renew_its_time(alice: User, flag: str) -> None:
    (number,) = store(alice)

    def at(value: bool) -> object:
        one = marking.set_flags(user_id=alice.pk, notification_id=number, flags={flag: value})
        return getattr(one, f"{flag}_at")

    first = at(True)
    assert first
    assert at(True) == first
    assert at(False) is None
    assert at(True) not in (None, first)
