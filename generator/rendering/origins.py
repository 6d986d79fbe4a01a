"""Where every rendered line came from: which template line wrote it and which params key decided it.

Rendered text is a `Text`: a real string that carries beside its characters, never among them, the place
where each stretch of it was written. Comparing, measuring or trimming what a macro returned gives what
plain Jinja gives, and no value can be mistaken for a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from generator.rendering.tracking import key_of, track

__all__ = ["Origin", "Place", "Text", "concat", "key_of", "line_origins", "template_text", "track"]


@dataclass(frozen=True)
class Origin:
    """Where one rendered line came from."""

    template_file: str
    """Relative to the project folder: `templates/resources/service.yaml.j2`."""
    template_line: int
    """From 1: the line that wrote the first character that isn't blank."""
    params_key: str
    """Dotted key of the first params value on the line, else of the loop's item; empty without either."""


class Place(NamedTuple):
    """Where a stretch of text was written."""

    template: str
    """Name below the templates folder."""
    line: int
    key: str = ""
    """Params key of the printed value."""
    loop_key: str = ""
    """Params key of the item of the innermost loop that has one."""


class Text(str):
    """Rendered text and its `runs`: (number of characters, place), from the first character to the last."""

    runs: tuple[tuple[int, Place], ...]

    def __new__(cls, value: str, runs: Iterable[tuple[int, Place]] = ()) -> Text:
        text = super().__new__(cls, value)
        text.runs = tuple(runs)
        return text

    def pieces(self) -> Iterable[tuple[str, Place]]:
        """The text of each run, with its place."""
        position = 0
        for length, place in self.runs:
            yield self[position : position + length], place
            position += length

    def cut(self, start: int, end: int) -> Text:
        """The characters from `start` up to `end`, with their places."""
        runs, position = [], 0
        for length, place in self.runs:
            kept = min(position + length, end) - max(position, start)
            if kept > 0:
                runs.append((kept, place))
            position += length
        return Text(self[start:end], runs)

    # What the `trim` filter calls.
    def strip(self, chars: str | None = None) -> Text:
        return self.rstrip(chars).lstrip(chars)

    def lstrip(self, chars: str | None = None) -> Text:
        return self.cut(len(self) - len(super().lstrip(chars)), len(self))

    def rstrip(self, chars: str | None = None) -> Text:
        return self.cut(0, len(super().rstrip(chars)))

    def nested(self, width: int) -> Text:
        """Every line but the first moved right by `width` blanks; empty lines stay empty."""
        padding, pieces, at_line_start = " " * width, [], False
        for piece, place in self.pieces():
            if at_line_start and piece and piece[0] != "\n":
                piece = padding + piece
            if piece:
                at_line_start = piece[-1] == "\n"
            pieces.append((indented(piece, padding), place))
        return Text("".join(piece for piece, _ in pieces), [(len(piece), place) for piece, place in pieces])

    def in_loop(self, key: str) -> Text:
        """The same text, written in the turn of a loop whose item has the key `key`."""
        runs = [
            (length, place if place.loop_key else Place(place.template, place.line, place.key, key))
            for length, place in self.runs
        ]
        return Text(self, runs)


def indented(text: str, padding: str) -> str:
    """`text` with `padding` before every line but the first, save the empty ones."""
    return re.sub(r"\n(?=[^\n])", "\n" + padding, text)


def concat(pieces: Iterable[Text]) -> Text:
    """The pieces, joined."""
    pieces = list(pieces)
    return Text("".join(pieces), [run for piece in pieces for run in piece.runs])


def template_text(template: str, parts: Sequence[tuple[int, str]]) -> Text:
    """Literal text of a template, from (line it starts at, text) parts; a newline leads to the next line."""
    lines = [
        (line, Place(template, first + offset))
        for first, part in parts
        for offset, line in enumerate(re.findall(r"[^\n]*\n|[^\n]+", part))
    ]
    return Text("".join(line for line, _ in lines), [(len(line), place) for line, place in lines])


def line_origins(text: Text, folder: str) -> tuple[Origin, ...]:
    """One origin per line of `text` (lines end at "\\n"); `folder` is the templates folder's name."""
    table: list[Origin] = []
    made: dict[Place, Origin] = {}
    line: list[tuple[str, Place]] = []
    for piece, place in text.pieces():
        if not line and piece.find("\n") == len(piece) - 1 and piece:  # one whole line: most are
            origin = made.get(place)
            if origin is None:
                origin = made[place] = _line_origin([(piece, place)], folder)
            table.append(origin)
            continue
        *ended, rest = piece.split("\n")
        for part in ended:
            line.append((part, place))
            table.append(_line_origin(line, folder))
            line = []
        if rest or not piece:  # an empty value still decides the line it is printed on
            line.append((rest, place))
    if any(part for part, _ in line):
        table.append(_line_origin(line, folder))
    return tuple(table)


def _line_origin(parts: Sequence[tuple[str, Place]], folder: str) -> Origin:
    first, key, loop_key = None, "", ""
    for part, place in parts:
        if first is None:
            if not part or part.isspace():  # indentation says nothing about who wrote the line
                continue
            first = place
        key, loop_key = key or place.key, loop_key or place.loop_key
    if first is None:  # a blank line is whose newline it is
        first = parts[-1][1]
        key, loop_key = first.key, first.loop_key
    return Origin(f"{folder}/{first.template}", first.line, key or loop_key)
