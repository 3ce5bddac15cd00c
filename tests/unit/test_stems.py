"""The stem of a sweep's names."""

from __future__ import annotations

import pytest

from notifications.groups.stems import MAX_NAME_CHARACTERS, stem_of

STEMS = [
    ("sweep-001", "sweep-*"),
    ("sweep-500", "sweep-*"),
    ("run_3", "run_*"),
    ("run3", "run*"),
    ("lr=0.1", "lr=*"),
    ("bert lr=0.1", "bert lr=*"),
    ("bert-lr=1e-4", "bert-lr=*"),
    ("bert-lr1e-4", "bert-lr*"),
    ("bert-lr=-0.5", "bert-lr=-*"),
    ("exp-seed42", "exp-seed*"),
    ("bert-lr=0.1-seed42", "bert-lr=*-seed*"),
    ("bert-lr=1e-3_bs32", "bert-lr=*_bs*"),
    ("resnet50-lr3", "resnet50-lr*"),
    ("v1-2", "v1-*"),
    ("model-v1.2", "model-v*"),
    ("job-0.1.2.3", "job-*.*"),
    ("train_20261126-1320", "train_*-*"),
    ("sklearn_bfb6b0e2", "sklearn_*"),
    ("sklearn_12345678", "sklearn_*"),
    ("é-1", "é-*"),
    ("训练-1", "训练-*"),
]
NO_STEM = [
    "",
    "-",
    "1",
    "12345",
    "-1",
    "1e5",
    "2024-01-02",
    "*-1",
    "bert-base",
    "llama-7b",
    "abcdef",
    "x-deadbeef",
    "v1.2-final",
    "sweep-",
    "sweep-1 ",
    "sweep-٣",
    "a" * MAX_NAME_CHARACTERS + "1",
]


@pytest.mark.parametrize(("name", "stem"), STEMS)
def test_what_varies_is_left_out(name: str, stem: str) -> None:
    assert stem_of(name) == stem


@pytest.mark.parametrize("name", NO_STEM)
def test_a_name_without_a_varying_ending_has_no_stem(name: str) -> None:
    assert stem_of(name) is None


@pytest.mark.parametrize(
    "piece", ["1", "a1", "-", "1-", "a", "1e", "ab=-", "1.1", "1e-", "a=1-", "=-", "f0", "-a", "１"]
)
def test_a_hostile_name_is_read_in_one_pass(piece: str) -> None:
    """A pattern that backtracks would not come to an end here."""
    for end in ("", "1", "x"):
        stem = stem_of((piece * MAX_NAME_CHARACTERS)[: MAX_NAME_CHARACTERS - 1] + end)
        assert stem is None or len(stem) <= 2 * MAX_NAME_CHARACTERS
