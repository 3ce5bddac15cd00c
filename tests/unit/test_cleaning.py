"""Foreign text is cut and cleaned, and otherwise left alone."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.cleaning import CUT, clean, clean_end, clean_ends

on_a_busy_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain\n\ttab", "plain\n\ttab"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bcreset", "reset"),
        ("\x1b", ""),
        ("half a sequence \x1b[31", "half a sequence [31"),
        ("windows\r\nline", "windows\nline"),
        ("10%\r20%\r30%", "10%\n20%\n30%"),
        ("line\u2028paragraph\u2029end", "line\nparagraph\nend"),
        ("nul \x00 bell \x07 delete \x7f", "nul  bell  delete "),
        ("gpj.\u202eexe", "gpj.exe"),
        ("a\u2066b\u2069c\u200fd\u061ce", "abcde"),
        ("zero\u200bwidth\ufeff\U000e0041", "zerowidth"),
        ("lone \ud800 half", "lone  half"),
        ('<script>{"code": 0}</script> ${x} {{ y }} %s', '<script>{"code": 0}</script> ${x} {{ y }} %s'),
        ("Größe 测试 👩‍🔬", "Größe 测试 👩‍🔬"),
    ],
)
def test_what_cannot_be_stored_or_deceives_the_eye_is_gone(text: str, cleaned: str) -> None:
    assert clean(text, 1000) == clean_end(text, 1000) == clean_ends(text, 1000) == cleaned


def test_the_beginning_the_end_or_both_are_kept() -> None:
    text = "\n".join(f"line {number:04}" for number in range(1000))
    assert clean(text, 25) == "line 0000\nline 0001\nline "
    assert clean_end(text, 25) == "line 0998\nline 0999"
    both = clean_ends(text, 400)
    assert both.startswith("line 0000\nline 0001\n")
    assert both.endswith("\nline 0998\nline 0999")
    assert both.count(CUT) == 1


def test_an_endless_line_is_cut_where_it_must_be() -> None:
    assert clean_end("x" * 1000, 10) == "x" * 10
    assert len(clean_ends("ü" * 1_000_000, 4096).encode()) <= 4096


@on_a_busy_machine
@given(st.text(st.characters()), st.integers(20, 60))
def test_the_text_is_bounded_in_bytes_and_can_be_stored(text: str, limit: int) -> None:
    for cleaned in (clean(text, limit), clean_end(text, limit), clean_ends(text, limit)):
        assert len(cleaned.encode()) <= limit
        assert "\0" not in cleaned


@on_a_busy_machine
@given(st.text(st.characters()))
def test_cleaning_again_changes_nothing_more_than_it_must(text: str) -> None:
    once = clean(text, 10_000)
    assert clean(once, 10_000) == once
