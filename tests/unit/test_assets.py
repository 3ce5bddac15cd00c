"""Comments do not travel; nothing else is touched."""

from __future__ import annotations

import pytest

from notifcenter.assets import without_comments


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("/** What it is. */\nlet a;\n", "let a;\n"),
        ("/*\n * several\n * lines\n */\nlet a;\n", "let a;\n"),
        ("  // why\n  let a; // here\n", "  let a; // here\n"),
        ("/*! Licence */\nlet a;\n", "/*! Licence */\nlet a;\n"),
        ('const url = "https://example.org/*";\n', 'const url = "https://example.org/*";\n'),
        ("html`<p>\n  ${a}\n  </p>`;\n/** b */\n", "html`<p>\n  ${a}\n  </p>`;\n"),
        (".a {\n  color: red;\n}\n\n/* b */\n.b {\n}\n", ".a {\n  color: red;\n}\n\n.b {\n}\n"),
    ],
)
def test_what_is_sent(source: str, sent: str) -> None:
    assert without_comments(source) == sent
