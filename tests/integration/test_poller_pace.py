"""What decides how soon the next batch is taken, when there are several sources."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from notifications import poller
from notifications.poller import Poller
from notifications.sources.ingest import line
from notifications.sources.ingest.line import New
from notifications.sources.ingest.models import Kind
from tests.cluster import ALL_EVENTS, submit, update

pytestmark = pytest.mark.django_db


def test_a_full_batch_with_something_to_tell_counts_beside_a_small_one(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "BATCH_CHANGES", 2)
    working = Poller()
    for name in ("one", "two"):
        update(submit(name, **ALL_EVENTS), state="FAILED")
    line.put([New("alert:1", Kind.ALERT, "nobody-here", {})])
    working.run_once()
    assert (working._is_full, working._has_told) == (True, True)
    while working.run_once():
        pass
    assert (working._is_full, working._has_told) == (False, False)
