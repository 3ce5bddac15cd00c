"""A message becomes a mail's subject, text and HTML, by the templates of its folder under templates/email."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import css_inline
from django.template.loader import render_to_string


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be said. `template` is the folder's name, `context` what its three templates get; no text in it is
    escaped yet."""

    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(message: Message) -> Rendered:
    """In the language that is active."""
    return Rendered(
        subject=" ".join(_rendered(message, "subject.txt").split()),
        text=_rendered(message, "body.txt"),
        html=_inliner().inline(_rendered(message, "body.html")),
    )


def _rendered(message: Message, part: str) -> str:
    return render_to_string(f"email/{message.template}/{part}", dict(message.context))


@cache
def _inliner() -> css_inline.CSSInliner:
    """Many mail programs ignore style sheets; what only these can say (dark mode, narrow screens) is kept."""
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
