"""Install, check and remove the capture: a trigger on the cluster's table, and the ten columns if missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2.errors
from django.db import ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.utils import OperationalError

from notifications.sources.frameworks import names

FUNCTION = "notifcenter_capture"
GRANTS = "notifcenter_grants"
"""The function of deploy/postgres/grants.sql, by which a role that does not own the table gets its rights again."""

TRIGGER = "notifcenter_capture"
LOCK_TIMEOUT_SECONDS = 5.0
PUT_BACK_LOCK_TIMEOUT_SECONDS = 0.5
"""While we wait for the table, everybody else's statements on it wait behind us."""

MAX_SNAPSHOT_READ_BYTES = 1024 * 1024
MAX_ATTEMPT_KEPT_BYTES = 64 * 1024
"""Of the attempt that a retry has ended: what the trigger looks at in the cluster's transaction, and what it keeps."""

_ENABLED = ("O", "A")
COLUMNS = {
    f"{kind}At{event}": "integer" if (kind, event) == ("notified", "Retried") else "boolean"
    for event in ("Running", "Succeeded", "Failed", "Stopped", "Retried")
    for kind in ("notification", "notified")
}
"""The design's ten columns: Sequelize's names, nullable, without a default (adding them rewrites nothing)."""

NO_TABLE = (
    "There is no table `frameworks` in this database. Point DATABASE_URL at the database of the cluster "
    "(or run `notifcenter demo_cluster` to play one)."
)
NOT_MIGRATED = "Our own tables are missing. Run `notifcenter migrate` first."

_POWERLESS = (
    "The trigger would run as the role {owner}, which may not write notifications_capturedchange. "
    "Grant it INSERT there, or let a role that has it own the function."
)

_NO_RIGHTS = "The role {role} lacks rights on `frameworks`. Run deploy/postgres/grants.sql as a superuser."

_FOLDER = Path(__file__).parent


class CaptureError(Exception):
    """The capture cannot be installed or removed; the message says what to do."""


def missing() -> list[str]:
    """What is not in place, in words; [] when the capture works."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('frameworks'), to_regclass('notifications_capturedchange')")
        table, queue = cursor.fetchone()
        if table is None:
            return [NO_TABLE]
        found = [NOT_MIGRATED] if queue is None else []
        columns = _missing_columns()
        if columns:
            found.append(f"`frameworks` lacks the columns {', '.join(columns)}.")
        if not is_capturing():
            found.append("The trigger on `frameworks` is missing or disabled.")
        elif owner := _powerless_owner():
            found.append(_POWERLESS.format(owner=owner))
        if not columns and (role := _powerless_role()):
            found.append(_NO_RIGHTS.format(role=role))
        return found + (["Run `notifcenter capture install`."] if columns or not is_capturing() else [])


def is_capturing() -> bool:
    """Whether the trigger is there and enabled. Looks at the catalogue only."""
    return _trigger_state() in _ENABLED


def install(*, with_notify: bool = True) -> list[str]:
    """Add what is missing; returns what was done, in words. Repeatable. Raises CaptureError.

    The table is locked only when a column or the trigger is really missing, and for a moment.
    """
    with _changing(LOCK_TIMEOUT_SECONDS) as cursor:
        cursor.execute("SELECT to_regclass('frameworks'), to_regclass('notifications_capturedchange')")
        table, queue = cursor.fetchone()
        if table is None:
            raise CaptureError(NO_TABLE)
        if queue is None:
            raise CaptureError(NOT_MIGRATED)
        done = _add_columns(cursor)
        if _trigger_state() and not is_capturing():
            _drop(cursor)  # it is disabled
        cursor.execute(_function_sql(with_notify=with_notify))
        if not is_capturing():
            done += _add_trigger(cursor)
        _check_rights()
        return done


def put_back() -> list[str]:
    """Add again what others have taken away since the install, as the cluster's upgrade may; what was done, in words.

    An installed capture is known by its function, which `remove` takes away. A trigger that somebody has disabled stays
    so. Nobody waits for long behind our wait for the table. Raises CaptureError.
    """
    done = []
    if (_missing_columns() or _powerless_role()) and _has_function(GRANTS):
        with _changing(PUT_BACK_LOCK_TIMEOUT_SECONDS) as cursor:
            if _is_installed():
                cursor.execute(f"SELECT {_schema()}.{GRANTS}()")
                done.append("took the columns and rights that were granted")
    for lacks, add in ((_lacks_trigger, _add_trigger), (_missing_columns, _add_columns)):
        if lacks():  # each for itself: the first matters more, and needs fewer rights
            with _changing(PUT_BACK_LOCK_TIMEOUT_SECONDS) as cursor:
                if _is_installed() and lacks():
                    done += add(cursor)
    return done


def remove() -> list[str]:
    """Take the trigger and its function away. The columns stay: clusters since v1.8 own them."""
    with _changing(LOCK_TIMEOUT_SECONDS) as cursor:
        return ["removed the trigger"] if _drop(cursor) else []


_REMEMBER_ABSENCE = """
INSERT INTO notifications_pollerstate AS p (id, leader, installed_at, capture_seen_at)
VALUES (1, '', now(), now())
ON CONFLICT (id) DO UPDATE SET
    reconcile_from = LEAST(p.reconcile_from, p.capture_seen_at),
    installed_at = COALESCE(p.installed_at, now()),
    capture_seen_at = now()
"""


def _trigger_state() -> str:
    """`tgenabled` of the trigger; '' when it, its table or the queue is not there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgenabled FROM pg_trigger WHERE tgrelid = to_regclass('frameworks') AND tgname = %s "
            "AND to_regclass('notifications_capturedchange') IS NOT NULL",
            [TRIGGER],
        )
        row = cursor.fetchone()
        return str(row[0]) if row else ""


def _lacks_trigger() -> bool:
    return not _trigger_state()


def _is_installed() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('frameworks'), to_regclass('notifications_capturedchange')")
        return None not in cursor.fetchone() and _has_function()


def _has_function(name: str = FUNCTION) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regproc(%s)", [f"{_schema()}.{name}"])
        return cursor.fetchone()[0] is not None


def _add_columns(cursor: CursorWrapper) -> list[str]:
    columns = _missing_columns()
    if not columns:
        return []
    added = ", ".join(f'ADD COLUMN IF NOT EXISTS "{name}" {COLUMNS[name]}' for name in columns)
    cursor.execute(f"ALTER TABLE frameworks {added}")
    return [f"added the columns {', '.join(columns)}"]


def _drop(cursor: CursorWrapper) -> bool:
    """Whether there was something. Who owns the function drops the trigger with it, whoever owns the table."""
    present = _has_function()
    if present:
        cursor.execute(f"DROP FUNCTION {_schema()}.{FUNCTION}() CASCADE")
    return present


def _add_trigger(cursor: CursorWrapper) -> list[str]:
    cursor.execute(
        f"CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE ON frameworks "
        f"FOR EACH ROW EXECUTE FUNCTION {_schema()}.{FUNCTION}()"
    )
    _check_rights()
    cursor.execute(_REMEMBER_ABSENCE)
    cursor.execute("SELECT pg_notify(%s, '')", [names.CHANGES_CHANNEL])
    return ["added the trigger"]


def _function_sql(*, with_notify: bool) -> str:
    wake = (
        (_FOLDER / "wake.sql")
        .read_text(encoding="utf-8")
        .format(space=names.LOCK_SPACE, sleep=names.SLEEP_LOCK, channel=names.CHANGES_CHANNEL)
    )
    template = (_FOLDER / "capture.sql").read_text(encoding="utf-8")
    return template.format(
        schema=_schema(),
        wake=wake.strip() if with_notify else "",
        channel=names.CHANGES_CHANNEL,
        missed=names.MISSED,
        most_read=MAX_SNAPSHOT_READ_BYTES,
        most_kept=MAX_ATTEMPT_KEPT_BYTES,
    )


def _schema() -> str:
    """The quoted schema of our tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.oid = to_regclass('notifications_capturedchange')"
        )
        row = cursor.fetchone()
        return str(row[0]) if row else "public"


def _check_rights() -> None:
    if owner := _powerless_owner():
        raise CaptureError(_POWERLESS.format(owner=owner))


def _powerless_owner() -> str:
    """The owner of the function, whose rights it has, if these do not suffice; else ''."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(pg_get_userbyid(proowner)) FROM pg_proc WHERE oid = to_regproc(%s) "
            "AND NOT has_table_privilege(proowner, to_regclass('notifications_capturedchange'), 'INSERT')",
            [f"{_schema()}.{FUNCTION}"],
        )
        row = cursor.fetchone()
        return str(row[0]) if row else ""


def _powerless_role() -> str:
    """The present role, if it may not write all of the ten columns that are there, or not read the table; else ''."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(current_user) FROM pg_attribute WHERE attrelid = to_regclass('frameworks') "
            "AND (attname = 'state' OR attname = ANY(%s)) AND NOT attisdropped "
            "HAVING NOT bool_and(has_column_privilege(attrelid, attnum, 'SELECT') "
            "AND (attname = 'state' OR has_column_privilege(attrelid, attnum, 'UPDATE')))",
            [list(COLUMNS)],
        )
        row = cursor.fetchone()
        return str(row[0]) if row else ""


def _missing_columns() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('frameworks') "
            "AND attnum > 0 AND NOT attisdropped"
        )
        present = {name for (name,) in cursor}
    return [name for name in COLUMNS if name not in present]


@contextmanager
def _changing(lock_timeout_seconds: float) -> Iterator[CursorWrapper]:
    """A transaction in which the table may be altered; what the database refuses comes out as CaptureError."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, true)", [f"{int(lock_timeout_seconds * 1000)}ms"]
            )
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [names.LOCK_SPACE, names.CAPTURE_LOCK])
            yield cursor
    except ProgrammingError as error:
        if not isinstance(error.__cause__, psycopg2.errors.InsufficientPrivilege):
            raise
        raise CaptureError(
            f"The database refused: {str(error).strip()}. "
            "Use the role that owns `frameworks`, or grant what deploy/postgres/grants.sql lists."
        ) from None
    except OperationalError as error:
        raise CaptureError(
            f"The database refused: {str(error).strip()}. If the table is locked by a long transaction, "
            "try again when it has ended."
        ) from None
