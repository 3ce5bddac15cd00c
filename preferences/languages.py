"""Which of the languages we speak somebody asks for; '' for none of them."""

from __future__ import annotations

from functools import lru_cache

from django.utils import translation
from django.utils.translation import get_language, get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header


def spoken(code: str) -> str:
    """The language of ours that comes closest to this one: zh-hans for zh-CN."""
    try:
        return get_supported_language_variant(code)
    except LookupError:
        return ""


def accepted(header: str) -> str:
    """The first of an Accept-Language header that we speak."""
    return next((found for code, _ in parse_accept_lang_header(header) if (found := spoken(code))), "")


def gettext(message: str) -> str:
    """As Django's, and remembered, for what is said thousands of times a second: Django asks some twenty catalogues for
    a text that is in none of them, as all English ones are."""
    return _translated(get_language(), message)


@lru_cache(maxsize=1024)
def _translated(language: str | None, message: str) -> str:
    """Into `language`, which is active."""
    return translation.gettext(message)
