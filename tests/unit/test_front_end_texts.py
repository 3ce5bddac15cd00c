"""The elements speak every language there is, and nothing in them was left in English."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.front_end_texts import CATALOGUES, STATIC, modules, texts_of, untranslated

NO_SERVER = "pai-plugin.js"
"""Speaks only when nothing comes from the server, a catalogue neither; what it says is for the administrator."""
PLACEHOLDER = re.compile(r"\{\w+\}")


def wanted() -> set[str]:
    return {text for module in modules() for text in texts_of(module)}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_every_text_is_translated_and_nothing_else(catalogue: Path) -> None:
    found = json.loads(catalogue.read_text(encoding="utf-8"))
    assert set(found) == wanted()
    for text, translation in found.items():
        for form in translation.values() if isinstance(translation, dict) else [translation]:
            assert form.strip(), text
            assert sorted(PLACEHOLDER.findall(form)) == sorted(PLACEHOLDER.findall(text)), text


def test_there_is_a_catalogue_for_every_language_that_can_be_chosen() -> None:
    languages = [code for code, _ in settings.LANGUAGES]
    assert [path.stem for path in CATALOGUES] == [
        code for code in languages if code != settings.LANGUAGE_CODE
    ]
    listed = re.search(
        r"^const LANGUAGES = \[ENGLISH, (.*)\];", (STATIC / "i18n.js").read_text(), re.MULTILINE
    )
    assert listed is not None
    assert re.findall(r'"([\w-]+)"', listed[1]) == [path.stem for path in CATALOGUES]


@pytest.mark.parametrize(
    "module", [one for one in modules() if one.name != NO_SERVER], ids=lambda path: path.name
)
def test_no_words_stand_in_a_template_as_they_are(module: Path) -> None:
    assert untranslated(module.read_text(encoding="utf-8")) == []


def test_such_words_would_be_found() -> None:
    source = 'html`<p title="Hello">${go ? html`<b>Bold</b>` : t("fine")} and ${more}</p>`; say("A sentence")'
    assert untranslated(source) == ["Hello", "\ufffc and \ufffc", "Bold", "A sentence"]
