"""Whatever a client sends over a websocket, and whatever Alertmanager's address gets: an answer, never an exception.

(Job files, snapshots and transitions have tests of this kind beside those of what they do.)
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, seed
from hypothesis import settings as bounds
from hypothesis import strategies as st

from notifications import consumers
from notifications.consumers import NotificationConsumer
from notifications.rights import Right
from notifications.sources.ingest import alertmanager
from notifications.sources.ingest.alertmanager import BadPayloadError

NOW = datetime(2026, 11, 26, tzinfo=UTC)
SEED = 20261126
HOSTILE = st.sampled_from(
    ["\0", "\ud800", "\u202eabc", "\r\nBcc: x@example.org", "<script>", "javascript:alert(1)", "http://[::1",
     "9" * 5000, "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-11-26T00:00:00Z", "alice", "firing"]
)  # fmt: skip
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | HOSTILE
ANY = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LABELS = st.dictionaries(
    st.sampled_from(["alertname", "username", "job_name", "severity", "virtual_cluster"])
    | st.text(max_size=8),
    LEAF,
)
ALERT = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["firing", "resolved"]) | ANY,
        "labels": LABELS | ANY,
        "annotations": LABELS | ANY,
        "startsAt": LEAF,
        "endsAt": LEAF,
        "generatorURL": LEAF,
        "fingerprint": LEAF,
    },
)
PAYLOAD = ANY | st.fixed_dictionaries(
    {"version": st.just("4") | ANY, "alerts": st.lists(ALERT | ANY, max_size=4) | ANY},
    optional={"truncatedAlerts": ANY},
)
FRAME = ANY | st.fixed_dictionaries(
    {"type": st.sampled_from(["resume", "read"]) | ANY}, optional={"after": ANY, "ids": ANY, "up_to": ANY}
)


@seed(SEED)
@bounds(max_examples=300, deadline=None, database=None)
@given(PAYLOAD, st.booleans())
def test_any_payload_of_alertmanager_is_read_or_refused(payload: Any, ownerless: bool) -> None:
    try:
        reading = alertmanager.read(payload, now=NOW, take_ownerless=ownerless)
    except BadPayloadError:
        return
    for one in reading.new:
        json.dumps(str(one)).encode()


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    async def done(function: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return []

    monkeypatch.setattr(consumers, "in_thread", done)


def answers(text: str) -> list[dict[str, Any]]:
    """What a socket that sends this hears."""
    heard: list[dict[str, Any]] = []

    async def talk() -> None:
        consumer = NotificationConsumer()
        consumer.right = Right(1)

        async def send(text_data: str, **more: Any) -> None:
            heard.append(json.loads(text_data))

        consumer.send = send
        await consumer.receive(text_data=text)

    asyncio.run(talk())
    return heard


FRAME_TEXT = FRAME.map(lambda frame: json.dumps(frame)) | st.text(max_size=40)


@pytest.mark.usefixtures("no_database")
def test_any_frame_gets_an_answer() -> None:
    @seed(SEED)
    @bounds(max_examples=300, deadline=None, database=None)
    @given(FRAME_TEXT)
    def each(text: str) -> None:
        assert all(one["type"] in ("error", "resync") for one in answers(text))

    each()


@pytest.mark.usefixtures("no_database")
@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_frames_as_deep_as_they_can_be_read(bracket: str) -> None:
    """Somewhere between them is the deepest that can be read, and perhaps not be written again."""
    opening = '{"a":' if bracket == "{}" else "["
    for depth in [*range(850, 1010), 2_500]:
        inner = opening * depth + "1" + bracket[1] * depth
        (answer,) = answers(f'{{"type": {inner}}}')
        assert answer["type"] == "error"
