"""Texts of other people's: what no value may hold, and how a message shows them."""

from __future__ import annotations

import re
import unicodedata

# Characters that hide in a review or end a line where no editor shows it: C0, DEL, C1, zero-width space, line
# and paragraph separator, bidi overrides and isolates, word joiner, surrogates, private use, BOM,
# non-characters.
_HIDDEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069"
    "\ud800-\udfff\ue000-\uf8ff\ufeff\ufffe\uffff"
)
HIDDEN_IN_FILE = re.compile(f"[{_HIDDEN}]")
HIDDEN_IN_TEXT = re.compile(f"[{_HIDDEN}\t\r]")
_PLACEHOLDER = re.compile(r"\{\{|\{%|\{#|\$\{")


def text_problem(value: str) -> tuple[str, str] | None:
    """Return what makes a text unfit for a rendered template, as (message, fix), or None."""
    hidden = HIDDEN_IN_TEXT.search(value)
    if hidden:
        return f"the text holds {describe(hidden[0])}", "remove the character"
    if "\n" in value:
        return "the text holds a line break", "write it on one line"
    placeholder = _PLACEHOLDER.search(value)
    if placeholder:
        return f"the text holds `{placeholder[0]}`, and nothing is filled in here", "write the value itself"
    return None


def shown(text: str, room: int = 80) -> str:
    """Return a text fit for one line of a message: nothing hidden in it, and not longer than `room`."""
    text = HIDDEN_IN_TEXT.sub("?", text[: room + 1]).replace("\n", "?")
    return text if len(text) <= room else text[: room - 1] + "…"


def describe(character: str) -> str:
    """Return words for a character that nobody sees."""
    if character == "\t":
        return "a tab"
    code = ord(character)
    kind = "invisible character"
    if 0xE000 <= code <= 0xF8FF:
        kind = "private-use character"
    elif 0xD800 <= code <= 0xDFFF:
        kind = "half of a surrogate pair"
    elif code < 0xA0:
        kind = "control character"
    return f"U+{code:04X} ({unicodedata.name(character, kind).lower()})"
