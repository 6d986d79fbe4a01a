"""How wide text is, at most: nobody can ask the reader's browser.

Widths are those of DejaVu Sans, the widest of the sans-serif faces that browsers fall back to; in em.
"""

from __future__ import annotations

import unicodedata

_GROUPS = {
    0.29: "ijlI|'",
    0.33: " .,:;/\\!-",
    0.42: '()[]tfr"',
    0.53: "szckvxyJ?_*",
    0.62: "abdeghnopqu{}LEF$",
    0.64: "0123456789TSZ",
    0.72: "ABCKPRVXY#",
    0.79: "DGHNOQU&",
    0.84: "w+<>=^~",
    0.99: "mM%@",
    1.02: "W",
}
_WIDTHS = {character: width for width, several in _GROUPS.items() for character in several}
_BOLD = 1.13


def width(text: str, size: float, bold: bool = False) -> float:
    """Pixels that a text takes at most, at a font size in pixels."""
    return sum(map(_em, text)) * size * (_BOLD if bold else 1)


def _em(character: str) -> float:
    known = _WIDTHS.get(character)
    if known is not None:
        return known
    if unicodedata.combining(character):
        return 0.0
    # Ideographs and pictures take a square and a bit; letters of other alphabets less.
    return 1.4 if unicodedata.east_asian_width(character) in "WF" else 1.05


def cut(text: str, most: float, size: float, bold: bool = False) -> str:
    """A text that is no wider than `most` pixels; an ellipsis says that there is more."""
    if width(text, size, bold) <= most:
        return text
    room = most - width("…", size, bold)
    kept = 0
    for kept, character in enumerate(text):
        room -= width(character, size, bold)
        if room < 0:
            break
    return f"{text[:kept].rstrip()}…"


def wrapped(
    pieces: list[str], most: float, size: float, between: str = ", ", bold: bool = False
) -> list[str]:
    """Pieces put after each other into lines that are no wider than `most` pixels."""
    lines: list[str] = []
    for piece in pieces:
        longer = f"{lines[-1]}{between}{piece}" if lines else piece
        if lines and width(longer + between, size, bold) <= most:
            lines[-1] = longer
        else:
            if lines:
                lines[-1] += between.rstrip()
            lines.append(cut(piece, most - width(between, size, bold), size, bold))
    return lines
