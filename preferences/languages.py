"""Which of the languages we speak somebody asks for; '' for none of them."""

from __future__ import annotations

from django.utils.translation import get_supported_language_variant
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
