"""How mail to a user's address has fared of late: an address that refuses again and again gets no more of it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext_noop

from preferences.models import AddressRecord

MOST_REFUSALS = 3
"""So many in a row, and nothing more is sent there."""

TEST_PAUSE_SECONDS = 60
NOT_ARRIVING = gettext_noop("Mail to your address does not arrive.")

_REFUSED = """
INSERT INTO preferences_addressrecord AS r (user_id, address, refusals, last_error, refused_at)
VALUES (%s, %s, 1, %s, now())
ON CONFLICT (user_id) DO UPDATE SET address = EXCLUDED.address, last_error = EXCLUDED.last_error, refused_at = now(),
    refusals = CASE r.address WHEN EXCLUDED.address THEN least(r.refusals + 1, 1000) ELSE 1 END
RETURNING refusals
"""

_TAKE_TEST = """
INSERT INTO preferences_addressrecord AS r (user_id, address, refusals, last_error, tested_at)
VALUES (%s, %s, 0, '', now())
ON CONFLICT (user_id) DO UPDATE SET tested_at = now()
WHERE r.tested_at IS NULL OR r.tested_at < now() - make_interval(secs => %s)
"""


def refused(*, user_id: int, address: str, error: str) -> bool:
    """The address was refused for good; returns whether that is enough now."""
    with connection.cursor() as cursor:
        cursor.execute(_REFUSED, [user_id, address, error])
        return bool(cursor.fetchone()[0] >= MOST_REFUSALS)


def arrived(*, user_id: int, address: str) -> None:
    AddressRecord.objects.filter(user_id=user_id, address=address, refusals__gt=0).update(
        refusals=0, last_error=""
    )


def was_refused(user: User, *, times: int = 1) -> bool:
    """Whether the address that the user has now was refused so often, and has taken nothing since."""
    record: AddressRecord | None = getattr(user, "address_record", None)
    return record is not None and record.address == user.email and record.refusals >= times


def is_given_up(user: User) -> bool:
    """Whether nothing is sent any more to the address that the user has now."""
    return was_refused(user, times=MOST_REFUSALS)


def last_refusal(user: User) -> str:
    """What the mail server said last of an address that is given up; else ''."""
    return user.address_record.last_error if is_given_up(user) else ""


def takes_test(*, user: User) -> bool:
    """Whether a test mail may go out now; then the next one has to wait."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TEST, [user.pk, user.email, TEST_PAUSE_SECONDS])
        return bool(cursor.rowcount)
