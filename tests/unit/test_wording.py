"""One line that tells the story, whatever a job is called."""

from __future__ import annotations

from typing import Any

import pytest

from notifications import wording
from preferences.kinds import JOB_EVENTS, Event


@pytest.mark.parametrize(
    ("event", "ordinal", "details", "story"),
    [
        (Event.RUNNING, 0, {}, "is running"),
        (Event.SUCCEEDED, 0, {}, "succeeded"),
        (Event.STOPPED, 0, {"exit_code": -210}, "was stopped"),
        (Event.FAILED, 0, {"why": "out of GPU memory", "exit_code": 226}, "failed: out of GPU memory"),
        (Event.FAILED, 0, {"exit_code": 42}, "failed: exit code 42"),
        (Event.FAILED, 0, {}, "failed"),
        (Event.RETRIED, 2, {}, "was retried (retry 2)"),
        (Event.RETRIED, 2, {"why": "evicted from its node"}, "was retried (retry 2): evicted from its node"),
        (Event.RETRIED, 3, {"skipped": 2, "why": "evicted"}, "was retried, now 3 times"),
        (Event.WAITING_TOO_LONG, 0, {"waited_seconds": 3600}, "has been waiting for 60 minutes"),
        (Event.WAITING_TOO_LONG, 0, {}, "has been waiting too long"),
        ("gpu_idle", 0, {}, "gpu_idle"),
    ],
)
def test_title_tells_the_story(event: str, ordinal: int, details: dict[str, Any], story: str) -> None:
    assert wording.title(str(event), "resnet50-lr3", ordinal, details) == f"resnet50-lr3 {story}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("job\nwith newline", "job\\nwith newline"),
        ("job\r\nBcc: victim@example.org", "job\\r\\nBcc: victim@example.org"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("line\u2028separator", "line\\u2028separator"),
        ("lone \ud800", "lone \\ud800"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("Größe-测试", "Größe-测试"),
        ("", "(unnamed job)"),
    ],
)
def test_a_hostile_name_stays_visible_on_one_line(name: str, shown: str) -> None:
    title = wording.title("stopped", name, 0, {})
    assert title == f"{shown} was stopped"
    assert title.isprintable()
    title.encode()


@pytest.mark.parametrize("event", JOB_EVENTS)
def test_a_long_name_is_cut_in_the_middle(event: str) -> None:
    details = {"why": "w" * 500, "exit_code": 1, "waited_seconds": 10**7}
    title = wording.title(event, "bert-" + "x" * 246 + "-lr17", 7, details)
    assert len(title) <= wording.MAX_TITLE_CHARACTERS
    assert title.startswith("bert-")
    assert "…" in title
    assert "-lr17 " in title


def test_the_reason_cannot_break_the_line() -> None:
    assert "\n" not in wording.title("failed", "job", 0, {"why": "a\nb"})


@pytest.mark.parametrize(
    ("event", "details", "line"),
    [
        (
            "failed",
            {
                "exit_code": 226,
                "causer": "user",
                "task": "worker[3]",
                "waited_seconds": 30,
                "ran_seconds": 7500,
                "retries": 1,
                "attempt": 2,
                "max_attempts": 4,
                "gpus": 4,
            },
            "Waited 30 seconds · ran 2 hours 5 minutes · exit code 226 · caused by the job itself"
            " · task worker[3] · attempt 2 of 4 · 4 GPUs",
        ),
        ("running", {"waited_seconds": 300, "gpus": 1, "exit_code": 1}, "Waited 5 minutes · 1 GPU"),
        ("succeeded", {"ran_seconds": 0, "exit_code": 0}, "Ran 0 seconds"),
        ("stopped", {"exit_code": -210, "causer": "user", "retries": 2, "attempt": 3}, "Attempt 3"),
        (
            "failed",
            {"waited_seconds": 13, "never_ran": True, "exit_code": 254, "attempt": 1, "retries": 0},
            "Waited 13 seconds · never ran · exit code 254",
        ),
        (
            "retried",
            {"exit_code": -1000, "causer": "platform", "attempt": 1, "ran_seconds": 60, "retries": 1},
            "Attempt 1 · ran 60 seconds · exit code -1000 · caused by the platform",
        ),
        ("waiting_too_long", {"waited_seconds": 3600, "gpus": 8}, "8 GPUs"),
        ("failed", {}, ""),
    ],
)
def test_summary_has_the_facts_that_are_known(event: str, details: dict[str, Any], line: str) -> None:
    assert wording.summary(event, details) == line


def test_details_of_wrong_types_are_passed_over() -> None:
    nonsense = {
        "exit_code": "1",
        "causer": ["user"],
        "task": 7,
        "waited_seconds": True,
        "ran_seconds": float("nan"),
        "why": {"a": 1},
        "gpus": None,
    }
    assert wording.summary("failed", nonsense) == ""
    assert wording.title("failed", "job", 0, nonsense) == "job failed"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (3600, "60 minutes"),
        (7200, "2 hours"),
        (7260, "2 hours 1 minute"),
        (86400, "24 hours"),
        (2 * 86400 + 3600, "2 days 1 hour"),
    ],
)
def test_durations_use_two_units_at_most(seconds: int, words: str) -> None:
    assert wording.duration(seconds) == words


def test_event_word_is_the_label() -> None:
    assert wording.event_word("waiting_too_long") == "Waiting too long"
    assert wording.event_word("unheard-of\n") == "unheard-of\\n"


@pytest.mark.parametrize(
    ("job_name", "details", "title", "summary"),
    [
        ("bert", {"alertname": "GpuIdle", "summary": "bert leaves GPUs idle"}, "bert leaves GPUs idle", "GpuIdle"),
        ("bert", {"alertname": "GpuIdle", "severity": "warn"}, "GpuIdle: bert", "Warn"),
        ("", {"alertname": "NodeDown"}, "NodeDown", ""),
        ("", {}, "Alert", ""),
        ("", {"summary": "a\nb\u202e" + "c" * 500, "lasted_seconds": 720}, None, "Resolved after 12 minutes"),
    ],
)  # fmt: skip
def test_an_alert_speaks_for_itself(
    job_name: str, details: dict[str, object], title: str | None, summary: str
) -> None:
    said = wording.title("alert", job_name, 0, details)
    assert said == title if title else len(said) == wording.MAX_TITLE_CHARACTERS
    assert said.isprintable()
    assert wording.summary("alert", details) == summary
