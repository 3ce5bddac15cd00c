"""Whatever a row of the cluster holds, it is told like any other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from notifications.models import FailedChange, Notification
from tests.cluster import submit, update
from tests.pollers import drain

pytestmark = pytest.mark.django_db


BLOCK = "extras:\n  jobStatusChangeNotification:\n    failed: true\n"
BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in pairwise("abcdefghijkl")
)

HOSTILE_ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "markup": ({"jobName": "alice~<img src=x onerror=alert(1)>"}, "<img src=x onerror=alert(1)>"),
    "256 characters": ({"jobName": "x" * 256}, "x" * 256),
    "a newline": ({"jobName": "alice~one\ntwo"}, "one\ntwo"),
    "a mail header": ({"jobName": "alice~x\r\nBcc: b@example.org"}, "x\r\nBcc: b@example.org"),
    "SQL": ({"jobName": "alice~'; DROP TABLE auth_user; --"}, "'; DROP TABLE auth_user; --"),
    "JSON": ({"jobName": 'alice~\\u0000{"a": "\\'}, '\\u0000{"a": "\\'),
    "an empty name": ({"jobName": ""}, "the-framework"),
    "only the prefix": ({"jobName": "alice~"}, "the-framework"),
    "no name": ({"jobName": None, "virtualCluster": None}, "the-framework"),
    "exploding YAML": ({"jobName": "alice~j", "jobConfig": BOMB + BLOCK}, "j"),
    "a Python tag": ({"jobName": "alice~j", "jobConfig": BLOCK + "x: !!python/object/apply:os.abort []\n"}, "j"),
    "deep YAML": ({"jobName": "alice~j", "jobConfig": BLOCK + "x: " + "[" * 50_000}, "j"),
    "a huge file": ({"jobName": "alice~j", "jobConfig": BLOCK + "x: y\n" * 200_000}, "j"),
    "no exit code": ({"jobName": "alice~j", "appExitCode": None, "snapshot": None, "retries": None}, "j"),
    "an odd exit code": ({"jobName": "alice~j", "appExitCode": -(2**31)}, "j"),
    "NUL and surrogates": (
        {"jobName": "alice~j", "snapshot": '{"status": {"attemptStatus": {"completionStatus": '
         '{"code": 1, "phrase": "a\\u0000\\ud800b", "diagnostics": "\\u0000\\udfff"}}}}'}, "j",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE_ROWS)
def test_a_hostile_row_is_told_like_any_other(case: str) -> None:
    row, job_name = HOSTILE_ROWS[case]
    submit(name="the-framework", **row)
    update("the-framework", state="FAILED")
    drain()
    assert not FailedChange.objects.exists()
    one = Notification.objects.get()
    assert (one.event, one.job_name) == ("failed", job_name)
