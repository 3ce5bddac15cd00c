"""Foreign free text made storable and harmless to show; what it says is left alone."""

from __future__ import annotations

import re

CUT = "\n…\n"

_ESCAPE_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]{0,200}(?:\x07|\x1b\\|\x9c)"  # OSC: titles, links
    r"|\x1b[ -/]*[0-Z\\-~]"
)
_LINE_ENDS = re.compile("[\r\x85\u2028\u2029]")
# Control characters but newline and tab, lone surrogates, marks that turn the direction of text or hide in it.
_UNSTORABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def clean(text: str, limit_bytes: int) -> str:
    """The beginning of the text in at most `limit_bytes` of UTF-8."""
    return _head(_cleaned(text[: 2 * limit_bytes]), limit_bytes)


def clean_end(text: str, limit_bytes: int) -> str:
    """The end of the text, where programs say what went wrong; whole lines, unless one alone is too long."""
    cleaned = _cleaned(text[-2 * limit_bytes :])
    end = cleaned.encode()[-limit_bytes:].decode(errors="ignore") if limit_bytes else ""
    if len(end) < len(cleaned) or len(text) > 2 * limit_bytes:
        end = end.partition("\n")[2] or end
    return end


def clean_ends(text: str, limit_bytes: int) -> str:
    """The whole text, or its beginning and its end with CUT between, in at most `limit_bytes` of UTF-8."""
    if len(text) <= 2 * limit_bytes:
        cleaned = _cleaned(text)
        if len(cleaned.encode()) <= limit_bytes:
            return cleaned
    left = limit_bytes - len(CUT.encode())
    return clean(text, left // 4) + CUT + clean_end(text, left - left // 4)


def _cleaned(text: str) -> str:
    if any(start in text for start in "\x1b\x9b\x9d"):  # the slowest, and seldom needed
        text = _ESCAPE_SEQUENCES.sub("", text)
    return _UNSTORABLE.sub("", _LINE_ENDS.sub("\n", text.replace("\r\n", "\n")))


def _head(text: str, limit_bytes: int) -> str:
    return text.encode()[:limit_bytes].decode(errors="ignore")
