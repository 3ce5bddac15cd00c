"""Lives of jobs as the cluster writes them, step by step."""

from __future__ import annotations

from typing import Any

from tests.cluster import snapshot
from tests.scrapes import Labels

Step = dict[str, Any]

RAN_AT = "2026-01-01T00:00:00Z"
RUN: Step = {"state": "RUNNING"}
OOM: Step = {"state": "FAILED", "snapshot": snapshot(ran_at=RAN_AT, code=226)}
NODE_LOST: Step = {"state": "FAILED", "snapshot": snapshot(ran_at=RAN_AT, code=-1001)}
NO_ROOM: Step = {"state": "FAILED", "snapshot": snapshot(ran_at=RAN_AT, code=251)}
NEVER_CREATED: Step = {"state": "FAILED", "snapshot": snapshot(code=-1100)}
STOP: Step = {"state": "STOPPED", "snapshot": snapshot(ran_at=RAN_AT, code=-210)}

LIVES: dict[str, tuple[list[Step], str, Labels | None, int]] = {
    # the steps after the submission, its state, how it ended (causer, state), how many waits are known
    "waits": ([], "WAITING", None, 0),
    "runs": ([RUN], "RUNNING", None, 1),
    "succeeds": ([RUN, {"state": "SUCCEEDED"}], "SUCCEEDED", ("none", "SUCCEEDED"), 1),
    "fails by the user": ([RUN, OOM], "FAILED", ("user", "FAILED"), 1),
    "is stopped": ([RUN, {"state": "STOPPING"}, STOP], "STOPPED", ("user", "STOPPED"), 1),
    "fails by the platform": ([RUN, NODE_LOST], "FAILED", ("platform", "FAILED"), 1),
    "fails for want of resources": ([RUN, NO_ROOM], "FAILED", ("resources", "FAILED"), 1),
    "never ran": ([NEVER_CREATED], "FAILED", ("user", "FAILED"), 0),
    "ran unseen": ([OOM], "FAILED", ("user", "FAILED"), 1),
    "ran and succeeded unseen": ([{"state": "SUCCEEDED"}], "SUCCEEDED", ("none", "SUCCEEDED"), 1),
    "fails and nobody knows why": ([RUN, {"state": "FAILED"}], "FAILED", ("unknown", "FAILED"), 1),
    "is retried": ([RUN, {"state": "WAITING", "retries": 1}, RUN], "RUNNING", None, 1),
    "is written again": ([RUN, RUN, {"jobPriority": "test"}, RUN], "RUNNING", None, 1),
    "starts over": ([RUN, {"state": "WAITING"}], "WAITING", None, 1),
    "is unknown for a while": ([RUN, {"state": "UNKNOWN"}, RUN], "RUNNING", None, 1),
    "has a state of another age": ([{"state": "DREAMING"}], "UNKNOWN", None, 0),
    "has no state": ([{"state": None}], "UNKNOWN", None, 0),
    "comes back from nowhere": ([{"state": None}, RUN], "RUNNING", None, 1),
}
