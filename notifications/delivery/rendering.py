"""A message becomes a mail's subject, text and HTML, by the templates of its folder under templates/email.

They are Jinja's, which compiles them to Python: a worker's time goes into them more than into anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import css_inline
import jinja2
from django.conf import settings
from django.utils import translation
from django.utils.text import wrap

OURS = "ours"
"""The folder by which our own template is found where the admin has one of the same name."""

MOST_LANGUAGES = 10
MOST_TEXTS = 1_000
"""Kept translated: looking one up takes longer than putting it into a mail."""

WIDE = ("W", "F")


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


def column(label: str, cells: int) -> str:
    """Filled up with spaces to a width that is counted as a terminal does: a Chinese character takes two cells."""
    taken = sum(2 if east_asian_width(character) in WIDE else 1 for character in label)
    return label + " " * (cells - taken)


def _rendered(message: Message, part: str) -> str:
    environment = _environment(settings.TEMPLATE_DIR, translation.get_language())
    return environment.get_template(f"email/{message.template}/{part}").render(message.context)


class _Environment(jinja2.Environment):
    def join_path(self, template: str, parent: str) -> str:
        """An admin's template extends ours of the same name, not itself."""
        return f"{OURS}/{template}" if template == parent else template


@lru_cache(maxsize=MOST_LANGUAGES)
def _environment(admins: Path | None, language: str) -> jinja2.Environment:
    """For the language that is active. Names that a template gets wrong are errors, not nothing: `samples.problem`
    finds them at the start."""
    ours = jinja2.FileSystemLoader(settings.BASE_DIR / "templates")
    loaders = [ours, jinja2.PrefixLoader({OURS: ours})]
    made = _Environment(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(admins), *loaders] if admins else loaders),
        autoescape=jinja2.select_autoescape(("html",)),
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        auto_reload=settings.DEBUG,
        keep_trailing_newline=True,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        lru_cache(MOST_TEXTS)(translation.gettext),
        translation.ngettext,
        newstyle=True,
        pgettext=lru_cache(MOST_TEXTS)(translation.pgettext),
    )
    made.globals["language"] = language
    made.filters |= {"column": column, "wordwrap": wrap}
    return made


@cache
def _inliner() -> css_inline.CSSInliner:
    """Many mail programs ignore style sheets; what only these can say (dark mode, narrow screens) is kept."""
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
