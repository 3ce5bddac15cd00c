"""Comments and indentation do not travel; nothing else is touched."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from notifcenter.assets import compact


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("/** What it is. */\nlet a;\n", "let a;\n"),
        ("/*\n * several\n * lines\n */\nlet a;\n", "let a;\n"),
        ("  // why\n  let a; // here\n", "let a; // here\n"),
        ("/*! Licence */\nlet a;\n", "/*! Licence */\nlet a;\n"),
        ('const url = "https://example.org/*";\n', 'const url = "https://example.org/*";\n'),
        ("html`<p>\n  ${a}\n  </p>`;\n/** b */\n", "html`<p>\n${a}\n</p>`;\n"),
        (".a {\n  color: red;\n}\n\n/* b */\n.b {\n}\n", ".a {\ncolor: red;\n}\n.b {\n}\n"),
    ],
)
def test_what_is_sent(source: str, sent: str) -> None:
    assert compact(source) == sent


def test_a_sheet_comes_with_those_that_it_imports() -> None:
    folder = settings.BASE_DIR / "static" / "notifcenter"
    parts = re.findall(r'@import "(.+)";', (folder / "pages.css").read_text())
    sent = b"".join(Client().get("/static/notifcenter/pages.css")).decode()
    assert {"site.css", "inbox.css", "profile.css"} <= set(parts)
    assert "@import" not in sent
    assert sent == "".join(compact((folder / part).read_text()) for part in parts)
