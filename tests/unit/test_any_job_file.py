"""Any wish in any file: what is written is read again, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from preferences.job_file import JobFileError, set_block
from preferences.job_protocol import FILE_KEYS, Block, read_block
from preferences.kinds import JOB_EVENTS, Event
from tests.job_files import A_JOB, BLOCK, PLUGINS, W

NOTHING = ""
FILES = {
    "plain": (A_JOB, NOTHING),
    "plugins": (A_JOB + PLUGINS, NOTHING),
    "first": (PLUGINS + A_JOB, NOTHING),
    "flow": (A_JOB + "extras: {a: [1, 2], b: {c: d}}   # c\n", NOTHING),
    "empty": ("extras:  # nothing\n" + A_JOB, NOTHING),
    "null": (A_JOB.replace("prerequisites", "extras: null\nprerequisites"), " null"),
    "block": (
        A_JOB + BLOCK + "\n    # why\n    failed: true # yes\n    exploded: 1\n  more: 1\n# end\n",
        "    # why\n    failed: true # yes\n    exploded: 1",
    ),
    "flow block": (
        PLUGINS + "  jobStatusChangeNotification: {stopped: yes, running: true}\n" + A_JOB,
        "{stopped: yes, running: true}",
    ),
    "null block": ("extras: {jobStatusChangeNotification: ~, a: 1}\n" + A_JOB, "~"),
}
"""With the text of the old block: no other may be missing afterwards."""
SHAPES: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "BOM": lambda text: "\ufeff" + text,
    "no final line end": lambda text: text.rstrip("\n"),
    "four spaces": lambda text: "".join(
        " " * (len(line) - len(line.lstrip(" "))) + line for line in text.splitlines(keepends=True)
    ),
    "document marks": lambda text: f"%YAML 1.2\n--- # job\n{text}...\n",
}
EVENTS = st.dictionaries(st.sampled_from(JOB_EVENTS[:5]), st.booleans())
WAITING = st.none() | st.booleans() | st.integers(1, 43200)
TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", FILES)
@settings(deadline=None, max_examples=6)
@given(events=EVENTS, waiting=WAITING)
def test_any_wish_in_any_file(
    name: str, shape: str, events: Mapping[Event, bool], waiting: int | None
) -> None:
    text, old = map(SHAPES[shape], FILES[name])
    check(text, {**events, **({} if waiting is None else {W: waiting})}, old)


@settings(deadline=None, max_examples=60)
@given(
    events=EVENTS,
    job=st.dictionaries(
        TEXTS | st.just("extras"),
        st.recursive(
            st.none() | st.booleans() | st.integers() | TEXTS | st.just("a\n\nb\n") | st.just("c\n d"),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(TEXTS | st.just("jobStatusChangeNotification"), inner, max_size=3),
            max_leaves=10,
        ),
        min_size=1,
        max_size=5,
    ),
    style=st.sampled_from([None, True, False]),
    indent=st.sampled_from([2, 4]),
    end=st.sampled_from(["\n", "\r\n"]),
    comment=st.sampled_from(["", "# c", "\n\n# d\n"]),
)  # fmt: skip
def test_any_file(
    events: Mapping[Event, bool],
    job: dict[str, object],
    style: bool | None,
    indent: int,
    end: str,
    comment: str,
) -> None:
    text = yaml.safe_dump(job, default_flow_style=style, indent=indent, allow_unicode=True) + comment
    text = text.replace("\n", end)
    old = text if "jobStatusChangeNotification" in text else " null"
    try:
        check(text, events, old)
    except JobFileError:
        assume(False)


def check(before: str, events: Mapping[Event, bool | int], old_block: str) -> None:
    """The block is as asked for, no byte outside the old one has changed, and all else means what it meant."""
    after = set_block(before, events).text
    minutes = events.get(W)
    assert read_block(after) == Block(
        {event: bool(value) for event, value in events.items()},
        None if isinstance(minutes, bool) else minutes,
    )
    head = common_length(before, after)
    tail = common_length(before[head:][::-1], after[head:][::-1])
    assert before[head : len(before) - tail] in old_block
    old, new = (YAML(typ="rt").load(text) for text in (before, after))
    keys = {key for key, event in FILE_KEYS.items() if event in events}
    assert new["extras"].pop("jobStatusChangeNotification").keys() == keys
    (old.get("extras") or {}).pop("jobStatusChangeNotification", None)
    assert (new.pop("extras") or None) == (old.pop("extras", None) or None)
    assert new == old
    assert list(new) == list(old)


def common_length(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
