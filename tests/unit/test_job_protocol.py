"""Reading the notification block of a job's file, hostile ones included."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from preferences.job_protocol import FILE_KEYS, MAX_CHARACTERS, NO_BLOCK, Block, as_job_file, read_block
from preferences.kinds import JOB_EVENTS, Event
from preferences.rules import JobFile

A_JOB = """\
protocolVersion: 2
name: pytorch-mnist
type: job
prerequisites:
  - {type: dockerimage, uri: 'openpai/standard', name: image}
taskRoles:
  worker:
    instances: 1
    commands:
      - |
        echo "extras: {jobStatusChangeNotification: {running: true}}"
    resourcePerInstance: {gpu: 1, cpu: 4, memoryMB: 8192}
"""
R, S, F, X, T, W = (FILE_KEYS[key] for key in FILE_KEYS)
HOSTILE_SECONDS = 1.0
"""Ten times what the slowest takes on a busy machine with two cores."""


def in_block(*lines: str) -> str:
    return "\n".join(
        [f"{A_JOB}extras:", "  jobStatusChangeNotification:", *(f"    {line}" for line in lines)]
    )


@pytest.mark.parametrize(
    ("text", "block"),
    [
        (None, None),
        ("", None),
        (A_JOB, None),
        (f"{A_JOB}extras:\n  gitRepo: x\n", None),
        (f"{A_JOB}jobStatusChangeNotification: {{failed: true}}\n", None),  # not below extras
        (f"{A_JOB}extras:\n  jobStatusChangeNotification:\n", None),
        (f"{A_JOB}extras:\n  jobStatusChangeNotification: {{}}\n", {}),
        (in_block("failed: true", "running: false"), {F: True, R: False}),
        (in_block("failed: True", "running: FALSE  # not now"), {F: True, R: False}),
        (in_block('"failed": true'), {F: True}),
        (in_block("failed: &yes true"), {F: True}),
        (in_block(*(f"{key}: true" for key in FILE_KEYS)), dict.fromkeys(JOB_EVENTS, True)),
        ('{"extras": {"jobStatusChangeNotification": {"stopped": true}}}', {X: True}),
        (f"--- \nname: x\n--- \n{in_block('retried: true')}\n...\n", {T: True}),
    ],
)
def test_a_clean_file_says_what_it_says(text: str | None, block: dict[Event, bool] | None) -> None:
    assert read_block(text) == Block(block)


@pytest.mark.parametrize(
    ("value", "on", "minutes"),
    [("true", True, None), ("false", False, None), ("1", True, 1), ("90", True, 90), ("43200", True, 43200)],
)
def test_waiting_too_long_is_true_false_or_minutes(value: str, on: bool, minutes: int | None) -> None:
    assert read_block(in_block(f"waitingTooLong: {value}")) == Block({W: on}, minutes)


@pytest.mark.parametrize(
    "value",
    [
        "'true'",
        "yes",
        "on",
        "1",
        "null",
        "[true]",
        "{a: true}",
        "!!bool true",
        "*anchor",
        "truee",
        "!!str true",
    ],
)
def test_a_value_that_is_no_boolean_is_ignored_with_a_warning(value: str) -> None:
    found = read_block(in_block("running: true", f"failed: {value}"))
    assert found == Block({R: True}, None, ("`failed` must be true or false; ignored.",), frozenset({F}))


@pytest.mark.parametrize("value", ["0", "-5", "43201", "1.5", "1e3", "0x10", "60 minutes", "9" * 5000])
def test_a_waiting_limit_that_cannot_be_used_is_ignored_with_a_warning(value: str) -> None:
    found = read_block(in_block(f"waitingTooLong: {value}"))
    assert found.block == {}
    assert found.ignored == {W}
    assert found.warnings == ("`waitingTooLong` must be true, false or minutes (1 to 43200); ignored.",)


@pytest.mark.parametrize(
    ("text", "block", "warning"),
    [
        (in_block("exploded: true"), {}, "'exploded' is no event; use running,"),
        (in_block("[failed]: true"), {}, "A key that is no text is no event"),
        (in_block("<<: {failed: true}"), {}, "'<<' is no event"),
        (
            in_block("failed: true", "failed: false"),
            {F: False},
            "`failed` is there twice; the last one counts.",
        ),
        (
            in_block("failed: maybe", "failed: false"),
            {F: False},
            "`failed` is there twice; the last one counts.",
        ),
        (f"{A_JOB}extras:\n  jobStatusChangeNotification: [failed]\n", None, "must hold lines such as"),
        (f"{A_JOB}extras:\n  jobStatusChangeNotification: yes\n", None, "must hold lines such as"),
        ("a: &a {failed: true}\nextras: {jobStatusChangeNotification: *a}", None, "must hold lines such as"),
        ("a: &a {jobStatusChangeNotification: {failed: true}}\nextras: *a", None, "is an alias"),
    ],
)
def test_a_mistake_in_the_block_becomes_a_warning(
    text: str, block: dict[Event, bool] | None, warning: str
) -> None:
    found = read_block(text)
    assert found.block == block
    assert [line for line in found.warnings if warning in line]


def test_a_value_corrected_further_down_counts() -> None:
    assert read_block(in_block("failed: maybe", "failed: true")).ignored == frozenset()
    assert read_block(in_block("failed: true", "failed: maybe")).ignored == {F}


def test_warnings_are_short_one_line_and_few() -> None:
    found = read_block(in_block(*(f'"k{n}\\n\\e[31m{"x" * 500}": true' for n in range(300))))
    assert len(found.warnings) == 21
    assert all(line.isprintable() and len(line) < 200 for line in found.warnings)


@pytest.mark.parametrize(
    "text",
    [
        in_block("failed: true") + "\n  :\n - broken",
        "a: [\n" + in_block("failed: true"),
        in_block("failed: {"),
        in_block("\tfailed: true"),
        in_block("failed: true\0"),
        in_block("failed: true # \ud800"),
        in_block("failed: true # \x1b"),
        "%YAML 9.9\n---\n" + in_block("failed: true"),
        "x jobStatusChangeNotification: y: z",
    ],
)
def test_a_broken_file_says_nothing_with_a_warning(text: str) -> None:
    found = read_block(text)
    assert (found.block, found.ignored, len(found.warnings)) == (None, frozenset(), 1)
    assert "no valid YAML" in found.warnings[0]


LAUGHS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


@pytest.mark.parametrize(
    "text",
    [
        f"a0: &a0 ha\n{LAUGHS}{in_block('failed: true')}",
        in_block("failed: &f {failed: *f}"),
        "jobStatusChangeNotification: " + "[" * 250_000,
        "{jobStatusChangeNotification: " * 8_000,
        "jobStatusChangeNotification: " + "? " * 120_000,
        in_block("failed: true") + "\nmore:\n" + "- {a: [1], b: 2}\n" * 14_000,
        in_block("failed: true") + "\n" + "".join(f"k{n}: &a{n} 1\n" for n in range(14_000)),
        in_block("failed: true") + "\nx: '" + "\n" * 250_000 + "'",
        in_block("failed: true") + "x" * 10_000_000,
    ],
    ids=["laughs", "itself", "brackets", "mappings", "questions", "items", "anchors", "lines", "large"],
)
def test_a_hostile_file_is_read_or_given_up_in_bounded_time(text: str) -> None:
    begin = time.perf_counter()
    read_block(text)
    assert time.perf_counter() - begin < HOSTILE_SECONDS


def test_aliases_elsewhere_in_the_file_do_no_harm() -> None:
    assert read_block(f"a0: &a0 ha\n{LAUGHS}{in_block('failed: true')}").block == {F: True}


def test_no_tag_constructs_anything(tmp_path: Path) -> None:
    for tag in ("!!python/object/apply:os.mkdir", "!!python/name:os.system", "!!python/object/new:list"):
        text = in_block(f"failed: {tag} ['{tmp_path}/made']", "running: true")
        assert read_block(text).block == {R: True}
    assert not (tmp_path / "made").exists()


def test_a_file_beyond_the_bound_is_not_read() -> None:
    text = in_block("failed: true") + "\n# "
    assert read_block(text.ljust(MAX_CHARACTERS, "x")).block == {F: True}
    assert read_block(text.ljust(MAX_CHARACTERS + 1, "x")) == Block(
        warnings=("The file is larger than 256 KB and was not read.",)
    )


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    read_block(f"jobStatusChangeNotification: {text}")
    read_block(in_block(text))


WORDS = st.text(st.characters(codec="ascii"), max_size=5)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(FILE_KEYS)) | WORDS, JSON_VALUES, max_size=6))
def test_it_agrees_with_a_whole_parser(values: dict[str, object]) -> None:
    text = json.dumps({"extras": {"jobStatusChangeNotification": values}})
    loaded = yaml.safe_load(text)["extras"]["jobStatusChangeNotification"]
    found = read_block(text)
    assert found.block is not None
    for key, event in FILE_KEYS.items():
        if isinstance(loaded.get(key), bool):
            assert found.block[event] == loaded[key]
        elif key in loaded and key != "waitingTooLong":
            assert event in found.ignored


def test_a_block_and_the_columns_make_a_job_file() -> None:
    found = read_block(in_block("failed: maybe", "waitingTooLong: 5"))
    assert as_job_file(found, [R]) == JobFile(
        block={W: True}, columns=frozenset({R}), waiting_minutes=5, ignored=frozenset({F})
    )
    assert as_job_file(NO_BLOCK, []) == JobFile()
