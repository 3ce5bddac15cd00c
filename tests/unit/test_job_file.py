"""Setting the block in a job's file: the block says what was asked for, and no other byte changes."""

from __future__ import annotations

import pytest

from preferences.job_file import MAX_EDITED_CHARACTERS, JobFileError, set_block
from preferences.job_protocol import MAX_CHARACTERS, read_block
from preferences.kinds import JOB_EVENTS, Event
from tests.job_files import BLOCK, FLOW, IN_BLOCK, IN_EXTRAS, JSON, LINES, PLUGINS, WISHES, S, T, W, X


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # no extras
        ("a: 1\n", "a: 1\n" + LINES),
        ("a: 1\n# end\n\n", "a: 1\n# end\n\n" + LINES),
        ("a: 1\n...\n# behind it\n", "a: 1\n" + LINES + "...\n# behind it\n"),
        ("%YAML 1.2\n---\na: 1\n", "%YAML 1.2\n---\na: 1\n" + LINES),
        ("a: |+\n  x\n\n\n", "a: |+\n  x\n\n\n" + LINES),
        ("a:\n    b: 1\n", "a:\n    b: 1\n" + LINES.replace("  ", "    ")),
        ("  a: 1\n  b: 2\n", "  a: 1\n  b: 2\n" + "".join(f"  {x}" for x in LINES.splitlines(keepends=True))),
        ('{"a": 1}', JSON.format('"running": false, "failed": true')),
        ("{a: 1, # c\n}\n", f"{{a: 1, extras: {{jobStatusChangeNotification: {FLOW}}}, # c\n}}\n"),
        ("{}", f"{{extras: {{jobStatusChangeNotification: {FLOW}}}}}"),
        ("a: 1\r\n", "a: 1\r\n" + LINES.replace("\n", "\r\n")),
        ("a: 1\rb: 2\r", "a: 1\rb: 2\r" + LINES.replace("\n", "\r")),
        ("\ufeffa: 1\n", "\ufeffa: 1\n" + LINES),
        # without a final line end: none is added, and none to a text that ends the file
        ("a: 1", "a: 1\n" + LINES.rstrip()),
        ("a: 1\n# c", "a: 1\n# c\n" + LINES.rstrip()),
        ("a: 1\n# roles\n# and more\nb: |\n  x", "a: 1\n" + LINES + "# roles\n# and more\nb: |\n  x"),
        ("# roles\nb: |\n  x", LINES + "# roles\nb: |\n  x"),
        # extras with nothing in them
        ("extras:\nz: 1\n", LINES + "z: 1\n"),
        ("z: 1\nextras:", "z: 1\n" + LINES.rstrip()),
        ("extras:   # c\nz: 1\n", "extras:   # c\n" + IN_EXTRAS + "z: 1\n"),
        ("extras: null # c\nz: 1\n", "extras: # c\n" + IN_EXTRAS + "z: 1\n"),
        ("extras: ~", LINES.rstrip()),
        ("extras: {}\n", f"extras: {{jobStatusChangeNotification: {FLOW}}}\n"),
        ("{extras: null}", f"{{extras: {{jobStatusChangeNotification: {FLOW}}}}}"),
        # extras with something else
        (PLUGINS, PLUGINS.replace("plugins\n", "plugins\n" + IN_EXTRAS, 1)),
        ("extras: {a: 1, b}\n", f"extras: {{a: 1, b, jobStatusChangeNotification: {FLOW}}}\n"),
        ("extras: {a: [1], # c\n }\n", f"extras: {{a: [1], jobStatusChangeNotification: {FLOW}, # c\n }}\n"),
        ("extras: &e\n  a: 1\n", "extras: &e\n" + IN_EXTRAS + "  a: 1\n"),
        ("extras: !!map {a: 1}\n", f"extras: !!map {{a: 1, jobStatusChangeNotification: {FLOW}}}\n"),
        ("extras:\t{a: 1}\t# c\n", f"extras:\t{{a: 1, jobStatusChangeNotification: {FLOW}}}\t# c\n"),
        # a block is there: what differs and what is missing, its comments stay
        (f"{BLOCK}\n    # c\n    failed: false # d\n", f"{BLOCK}\n    # c\n    failed: true # d\n    running: false\n"),
        (f"{BLOCK} {{failed: false}} # c\n", f"{BLOCK} {{failed: true, running: false}} # c\n"),
        (f"{BLOCK}\n      failed: true\n      running: false", f"{BLOCK}\n      failed: true\n      running: false"),
        (f"{BLOCK} # c\n  x: 1\n", f"{BLOCK} # c\n{IN_BLOCK}  x: 1\n"),
        (JSON.format('"failed": false'), JSON.format('"failed": true, "running": false')),
        # a block that has to be written anew
        (f"{BLOCK}\n    stopped: false\n    failed: true\nz: 1\n", f"{BLOCK}\n{IN_BLOCK}z: 1\n"),
        (f"{BLOCK} {{stopped: false}}\nz: 1\n", f"{BLOCK} {FLOW}\nz: 1\n"),
        (f"{BLOCK} null\nz: 1\n", f"{BLOCK}\n{IN_BLOCK}z: 1\n"),
    ],
)  # fmt: skip
def test_nothing_but_the_block_changes(before: str, after: str) -> None:
    edited = set_block(before, WISHES)
    assert edited.text == after
    assert edited.warnings == ()
    assert set_block(after, WISHES).text == after, "once more changes nothing"


@pytest.mark.parametrize(
    ("before", "after", "warnings"),
    [
        (
            f"{BLOCK}\n    failed: maybe\n    exploded: 1 # c\nz: 1\n",
            f"{BLOCK}\n{IN_BLOCK}z: 1\n",
            ["`failed` must be true or false", "'exploded' is no event", "comments inside the old block are gone"],
        ),
        (f"{BLOCK} {{failed: *t}}\n", f"{BLOCK} {{failed: true, running: false}}\n", ["`failed` must be"]),
        (f"{BLOCK} yes\nz: 1", f"{BLOCK} {FLOW}\nz: 1", ["must hold lines such as"]),
        (f"{BLOCK} |\n    x\nz: 1\n", f"{BLOCK} {FLOW}\nz: 1\n", ["must hold lines such as"]),
        (f"b: &b {{}}\n{BLOCK} *b\n", f"b: &b {{}}\n{BLOCK} {FLOW}\n", ["must hold lines such as"]),
        (f"{BLOCK} {{stopped: true}}\n", f"{BLOCK} {FLOW}\n", ["`stopped` was switched on"]),
    ],
)  # fmt: skip
def test_what_the_old_block_loses_is_told(before: str, after: str, warnings: list[str]) -> None:
    edited = set_block(before, WISHES)
    assert edited.text == after
    assert len(edited.warnings) == len(warnings)
    for part, warning in zip(warnings, edited.warnings, strict=True):
        assert part in warning


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("- a\n", "must hold lines such as `name: my_job`"),
        ("resnet", "must hold lines such as `name: my_job`"),
        ("a: [\n", "no valid YAML: line 2"),
        ("a: 1\n\tb: 2\n", "no valid YAML: line 2"),
        ("extras:\n\ta: 1\n", "no valid YAML: line 2"),
        ("a: \x07", "a character that may not be in YAML"),
        ("a: \ud800", "a character that may not be in YAML"),
        ("a: 1\n---\nb: 2\n", "several documents"),
        ("extras: [a]\n", "`extras` must hold lines"),
        ("extras: {}\nextras: {}\n", "`extras` is there twice"),
        (f"{BLOCK} {{}}\n  jobStatusChangeNotification: {{}}\n", "is there twice"),
        ("a: &a {b: 1}\nextras: *a\n", "`extras` is an alias"),
        ("a: &a {extras: {b: 1}}\n<<: *a\n", "`<<` at the top"),
        ("extras: &e {b: 1}\nz: *e\n", "`*e` repeats a part that would change"),
        (f"{BLOCK} &b {{failed: true}}\nz: *b\n", "`*b` repeats a part that would change"),
        (f"{BLOCK}\n    failed: &yes true\nz: *yes\n", "`*yes` repeats a part that would change"),
        ("? extras\n: a: 1\n", "without touching the rest"),
        (f"{BLOCK}\n  - failed\n", "without touching the rest"),
        ("a: " + "[" * 70 + "]" * 70, "nested deeper than 64 levels"),
        ("a: [" + "1, " * 6_000 + "]", "more than 5000 parts"),
        ("a: " + "x" * MAX_CHARACTERS, "larger than 255 KB"),
    ],
)
def test_a_file_that_cannot_be_edited_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(JobFileError, match=why.replace("*", r"\*").replace("<", r"\<")):
        set_block(text, WISHES)


def test_the_largest_file_can_be_read_with_its_block() -> None:
    text = "a: 1\n#".ljust(MAX_EDITED_CHARACTERS, "x")
    assert read_block(set_block(text, dict.fromkeys(JOB_EVENTS, True)).text).block == dict.fromkeys(
        JOB_EVENTS, True
    )


def test_tags_and_aliases_elsewhere_stay_what_they_are() -> None:
    laughs = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    text = f"a0: &a0 ha\n{laughs}x: !!python/object/apply:os.system [id]\n"
    assert set_block(text, WISHES).text == text + LINES


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ({W: 90, T: True}, "    retried: true\n    waitingTooLong: 90\n"),
        ({W: True}, "    waitingTooLong: true\n"),
        (
            {W: False, X: False, S: True},
            "    succeeded: true\n    stopped: false\n    waitingTooLong: false\n",
        ),
    ],
)
def test_what_is_written(events: dict[Event, bool | int], lines: str) -> None:
    assert set_block("a: 1\n", events).text == f"a: 1\n{BLOCK}\n{lines}"


def test_a_block_without_events_says_no_to_all() -> None:
    assert set_block("a: 1\n", {}).text == f"a: 1\n{BLOCK} {{}}\n"
    assert set_block(f"a: 1\n{LINES}", {}).text == f"a: 1\n{BLOCK}\n    {{}}\n"
    assert set_block("extras:\n", {}).text == f"{BLOCK} {{}}\n"
