"""What pages and mails say of why something happened, whatever is stored."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.explanation import MAX_SOLUTIONS, MAX_TEXT_CHARACTERS, advised, explain, last_lines


def facts(event: str, **details: Any) -> dict[str, str]:
    return dict(explain(event, details).facts)


def test_a_failure_has_all_its_facts_in_the_order_of_interest() -> None:
    found = explain(
        "failed",
        {
            "exit_code": 254,
            "phrase": "ContainerImageNotExists",
            "causer": "user",
            "image": "binyangl/pri",
            "task": "worker[3]",
            "attempt": 2,
            "max_attempts": 4,
            "waited_seconds": 13,
            "ran_seconds": 7500,
            "last_ran_seconds": 60,
            "gpus": 8,
            "reason": "Because.",
            "solutions": ["Do this.", "Do that."],
        },
    )
    assert found.facts == (
        ("Exit code", "254 (ContainerImageNotExists)"),
        ("Cause", "The job itself"),
        ("Image", "binyangl/pri"),
        ("Task", "worker[3]"),
        ("Attempt", "2 of 4"),
        ("Waited", "13 seconds"),
        ("Ran", "2 hours 5 minutes with all attempts, the last 60 seconds"),
        ("GPUs", "8"),
    )
    assert (found.reason, found.solutions) == ("Because.", ("Do this.", "Do that."))


@pytest.mark.parametrize(
    ("event", "details", "label", "value"),
    [
        ("stopped", {"exit_code": -210}, "Exit code", "-210"),
        ("stopped", {"causer": "user"}, "Cause", "Stopped by a user"),
        ("stopped", {"causer": "platform"}, "Cause", "The platform"),
        ("retried", {"attempt": 1}, "Attempt", "1"),
        ("failed", {"never_ran": True}, "Ran", "Never"),
        ("failed", {"never_ran": "yes"}, "Ran", None),
        ("failed", {"ran_seconds": 0}, "Ran", "0 seconds"),
        ("succeeded", {"exit_code": 0}, "Exit code", None),
        ("succeeded", {"attempt": 1}, "Attempt", None),
        ("succeeded", {"attempt": 2}, "Attempt", "2"),
        ("running", {"waited_seconds": 0}, "Waited", None),
    ],
)
def test_each_event_has_its_own_facts(
    event: str, details: dict[str, Any], label: str, value: str | None
) -> None:
    assert facts(event, **details).get(label) == value


def test_what_is_stored_is_not_trusted() -> None:
    evil = "line\r\nBcc: x\u202e\x1b[31m"
    found = explain(
        "failed",
        {
            **dict.fromkeys(("reason", "phrase", "task", "image", "causer", "output", "diagnostics"), evil),
            "exit_code": 1,
            "solutions": [evil, 3, None, "", *["more"] * 50],
            "gpus": "8",
            "attempt": [],
            "ran_seconds": float("nan"),
        },
    )
    lines = [found.reason, *found.solutions, *(value for _, value in found.facts)]
    assert all(line.isprintable() for line in lines)
    assert len(found.solutions) < MAX_SOLUTIONS
    assert found.output.splitlines() == ["line", "Bcc: x\\u202e\\x1b[31m"]
    assert set(dict(found.facts)) == {"Exit code", "Task", "Image"}


def test_nonsense_explains_nothing() -> None:
    assert not explain("failed", {"solutions": "text", "reason": 5, "output": [], "diagnostics": {}})
    assert not explain("succeeded", {"exit_code": 0, "ran_seconds": 5})
    assert explain("waiting_too_long", {}).solutions


def test_advice_is_for_events_without_solutions_of_their_own() -> None:
    assert advised("waiting_too_long", {})["solutions"]
    assert advised("waiting_too_long", {"solutions": ["Ask Bob."]}) == {"solutions": ["Ask Bob."]}
    assert advised("failed", {"exit_code": 1}) == {"exit_code": 1}


def test_long_texts_keep_their_end() -> None:
    lines = "\n".join(f"line {number}" for number in range(10_000))
    output = explain("failed", {"output": lines}).output
    assert len(output) <= MAX_TEXT_CHARACTERS
    assert output.endswith("line 9999")
    assert last_lines(output, most=2, characters=1000) == "line 9998\nline 9999"
    assert last_lines(output, most=200, characters=9) == "line 9999"


def test_an_alert_begins_with_what_matters_whatever_the_order_of_its_labels() -> None:
    labels = {"instance": "gpu-07", "severity": "warn", "alertname": "GpuIdle", "virtual_cluster": "default"}
    assert explain("alert", {"labels": labels}).facts == (
        ("Alert", "GpuIdle"),
        ("Severity", "warn"),
        ("instance", "gpu-07"),
    )
