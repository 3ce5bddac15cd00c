"""`make messages`: collects what is to be translated, merges it into locale/, and compiles that. No gettext needed.

Covered are mails, chat messages, and all pages but the administrator's. What is stored in English, such as why a job
ended, is looked up in the catalogue when it is shown, so those texts are collected too.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

HEADER = "# Brought up to date and compiled by `make messages`."
ROOT = Path(__file__).resolve().parent.parent
PYTHON = ("accounts", "notifications", "preferences")
PAGES = ("*.html", "includes/*", "notifications/*", "preferences/*", "registration/*")
TEMPLATES = (*PAGES, "chat/*")
MAILS = "email/**/*"
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "_": None,
}
Text = tuple[str, Any, str | None]
"""The file's path, the text (or singular and plural), and its context."""


def collected() -> Catalog:
    """All that is to be translated, from the present code and templates."""
    catalog = Catalog(charset="utf-8")
    for path, message, context in _texts():
        catalog.add(message, locations=[(path, 0)], context=context)
    return catalog


def pages() -> list[Path]:
    """The templates of what users see in a browser."""
    return [path for pattern in PAGES for path in sorted((ROOT / "templates").glob(pattern))]


def languages() -> list[str]:
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def po_path(language: str) -> Path:
    return ROOT / "locale" / to_locale(language) / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    path = po_path(language)
    content = path.read_bytes() if path.exists() else b""
    return read_po(io.BytesIO(content), locale=to_locale(language))


def compiled(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def key(message: Message) -> tuple[Any, str | None]:
    """What gettext finds a text by."""
    return message.id, message.context


def strings(message: Message) -> tuple[str, ...]:
    """The translation: several where the number decides."""
    return message.string if isinstance(message.string, tuple) else (str(message.string or ""),)


def _texts() -> Iterator[Text]:
    for folder in PYTHON:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from _extracted(path, path.read_text(encoding="utf-8"))
    for pattern in TEMPLATES:
        for path in sorted((ROOT / "templates").glob(pattern)):
            if path.is_file():
                pseudo_python = templatize(path.read_text(encoding="utf-8"))
                yield from _extracted(path, "\n".join(line.lstrip() for line in pseudo_python.splitlines()))
    for path in sorted((ROOT / "templates").glob(MAILS)):
        if path.is_file():
            yield from _extracted(path, path.read_text(encoding="utf-8"), "jinja2")
    yield from _stored()


def _extracted(path: Path, source: str, kind: str = "python") -> Iterator[Text]:
    name = str(path.relative_to(ROOT))
    for _, message, _, context in extract(kind, io.BytesIO(source.encode()), KEYWORDS):
        yield name, message, context


def _stored() -> Iterator[Text]:
    """What comes from tables of ours rather than from calls of gettext."""
    from notifications.sources.frameworks import exit_codes

    advice = {line for entry in exit_codes.TABLE for line in entry.solutions} - {exit_codes.RETRY}
    texts = [text for entry in exit_codes.TABLE for text in (entry.why, entry.reason) if text]
    for text in (*texts, *sorted({*advice, exit_codes.AGAIN, exit_codes.RETRIED})):
        yield "notifications/sources/frameworks/exit_codes.py", text, None


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifcenter.settings")
    django.setup()
    left = 0
    for language in languages():
        catalog = read(language)
        catalog.update(collected(), no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        catalog.header_comment, catalog.project, catalog.version, catalog.fuzzy = (
            HEADER,
            "Notifcenter",
            "1",
            False,
        )
        path = po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalog, width=100, include_lineno=False, sort_by_file=True)
        path.with_suffix(".mo").write_bytes(compiled(catalog))
        missing = sum(not all(strings(message)) for message in catalog if message.id)
        left += missing
        sys.stdout.write(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {missing} not translated\n")
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
