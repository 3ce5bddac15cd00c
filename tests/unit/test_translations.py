"""The catalogues: complete, true to what they translate, and compiled."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings

from tests import translations
from tests.translations import key, strings

NO_WORDS = {
    "Notifcenter",
    "· Notifcenter",
    "extras.jobStatusChangeNotification",
    "alice",
    "bob",
    "carol",
    "dave",
    "admin",
    "demo",
}
"""Names and codes, which are the same in every language."""
TRANSLATED = re.compile(r"\{% blocktranslate.*?endblocktranslate %\}", re.DOTALL)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TEXT = re.compile(r">([^<>]*)<")
SPOKEN = re.compile(r'\b(?:alt|aria-label|placeholder|title)="([^"]*)"')
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|<[^>]+>")
MEND = "run `make messages`, translate what is empty, and run it again"


@pytest.mark.parametrize("language", translations.languages())
def test_every_text_is_translated_and_nothing_else(language: str) -> None:
    catalog = translations.read(language)
    wanted = {key(message) for message in translations.collected() if message.id}
    assert {key(message) for message in catalog if message.id} == wanted, MEND
    for message in catalog:
        assert message.id == "" or all(strings(message)), f"{message.id!r}: {MEND}"
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("language", translations.languages())
def test_a_translation_has_the_placeholders_and_tags_of_its_text(language: str) -> None:
    for message in translations.read(language):
        plain = str(message.id[0] if isinstance(message.id, tuple) else message.id)
        for string in strings(message) if message.id else ():
            assert sorted(PLACEHOLDER.findall(string)) == sorted(PLACEHOLDER.findall(plain)), plain


@pytest.mark.parametrize("language", translations.languages())
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    path = translations.po_path(language).with_suffix(".mo")
    with path.open("rb") as file:
        found = gettext.GNUTranslations(file)
    for message in translations.read(language):
        if not message.id:
            continue
        if isinstance(message.id, tuple):
            string = found.ngettext(message.id[0], message.id[1], 1)
        elif message.context:
            string = found.pgettext(message.context, str(message.id))
        else:
            string = found.gettext(str(message.id))
        assert string == strings(message)[0], MEND


def test_there_is_a_catalogue_for_every_language_that_can_be_chosen() -> None:
    assert translations.languages() == ["zh-hans"]
    assert settings.LANGUAGE_CODE == "en"


@pytest.mark.parametrize("path", translations.pages(), ids=lambda path: path.name)
def test_no_words_stand_in_a_page_as_they_are(path: Path) -> None:
    assert untranslated(path.read_text(encoding="utf-8")) == []


def test_such_words_would_be_found() -> None:
    page = '<p title="Hello {{ name }}">{% if a %}One{% endif %} <b>{% translate "fine" %}</b></p><i>{{ b }} two</i>'
    assert untranslated(page) == ["Hello", "One", "two"]


def untranslated(template: str) -> list[str]:
    plain = TAG.sub("", TRANSLATED.sub("", template))
    found = [text.strip() for pattern in (SPOKEN, TEXT) for text in pattern.findall(plain)]
    return [text for text in found if re.search(r"[a-zA-Z]{2}", text) and text not in NO_WORDS]
