"""PyYAML's events, and its complaints about text that isn't YAML in words that name the cure."""

from __future__ import annotations

import re
from typing import Iterator

import yaml

from generator.params.trouble import Unreadable

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""libyaml where PyYAML was built with it (about ten times faster), else the parser in Python."""

_CONFLICT = re.compile(r"^<{7}( |$)", re.MULTILINE)

# (part of PyYAML's "context: problem", from libyaml or from the parser in Python; whether the line is where
# the broken construct starts instead of where it was noticed; message; fix). The first that fits is taken.
_EXPLANATIONS = (
    (
        r"mapping values are not allowed",
        False,
        "a `: ` where no key can stand: inside a value, or in a line indented too far",
        "put a value that holds `: ` in quotes, or line the key up with its neighbours",
    ),
    (r"mapping keys are not allowed", False, "a `? ` where no key can stand", "put the value in quotes"),
    (
        r"sequence entries are not allowed",
        False,
        "a `- ` where no list can start",
        "start the list in the line after its key, or write `key: [a, b]`",
    ),
    (
        r"quot.*found unexpected",
        True,
        "the quote that opens here isn't closed",
        "close it with the same quote",
    ),
    (
        r"flow sequence.*'\]'",
        True,
        "the `[` that opens here isn't closed, or a comma is missing",
        "close it with `]`, and put commas between items",
    ),
    (
        r"flow mapping.*'}'",
        True,
        "the `{` that opens here isn't closed, or a comma is missing",
        "close it with `}`, and put commas between keys",
    ),
    (r"simple key", True, "this line is no `key: value`", "write a key, a colon, a space and the value"),
    (
        r"unknown escape",
        False,
        "a backslash in double quotes starts an escape that doesn't exist",
        "write the backslash twice, or use single quotes",
    ),
    (
        r"Unicode character escape|hexa?decimal|chr\(\)",
        False,
        "an escape in double quotes names no character",
        r"write the character itself, or its number as `\uXXXX` or `\UXXXXXXXX`",
    ),
    (r"scanning an alias", True, "a value can't start with `*`", "put the value in quotes"),
    (r"scanning an anchor", True, "a value can't start with `&`", "put the value in quotes"),
    (r"\btag\b", True, "a value can't start with `!`", "put the value in quotes"),
    (
        r"block (collection|sequence)",
        False,
        "this line isn't part of the list above it",
        "start it with `- `, or indent it like the key of the list",
    ),
    (
        r"block mapping",
        False,
        "this line doesn't fit the keys above it: its indentation differs, or text follows a value's end",
        "line keys of one level up, and put a value in quotes as a whole",
    ),
    (
        r"block scalar",
        False,
        "text follows a `|` or `>`",
        "start the text in the next line, or put it in quotes",
    ),
    (r"node content", False, "a value is missing here", "write it, or remove the comma or bracket"),
    (
        r"directive|incompatible YAML",
        False,
        "a line that starts with `%` or names a YAML version isn't for params files",
        "remove the line",
    ),
    (
        r"document start",
        False,
        "something follows the end of the document",
        "a params file is `key: value` lines, and nothing after `...`",
    ),
)


def events(text: str, loader: type) -> Iterator[yaml.Event]:
    """Yield PyYAML's events; raise Unreadable, in words, where the text isn't YAML."""
    parsed = yaml.parse(text, Loader=loader)
    while True:
        try:
            event = next(parsed, None)
        except (yaml.YAMLError, ValueError) as error:
            # ValueError: the parser in Python lets chr() fail on an escape such as "\U00110000".
            raise _explain(error, text) from None
        if event is None:
            return
        yield event


def _explain(error: Exception, text: str) -> Unreadable:
    """Return PyYAML's error in words that name the cure."""
    lines = text.split("\n")
    context = getattr(error, "context", None) or ""
    problem = getattr(error, "problem", None) or str(error)
    noticed = getattr(error, "problem_mark", None)
    started = getattr(error, "context_mark", None) or noticed
    last = len(text.rstrip("\n").split("\n"))

    def number(mark: yaml.Mark | None) -> int:
        # A file that ends too early is noticed in the line after its last one.
        return min(mark.line + 1, last) if mark else 0

    conflict = _CONFLICT.search(text)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        fix = "resolve it, then remove the marks"
        return Unreadable(line, "the file holds an unresolved merge conflict", fix)
    here = lines[noticed.line] if noticed and noticed.line < len(lines) else ""
    if re.match(r" *\t", here) or "tab character" in problem:
        return Unreadable(number(noticed), "the line is indented with a tab", "indent with spaces")
    if "cannot start any token" in problem:
        first = here[noticed.column : noticed.column + 1]
        message = f"a value can't start with {'a backtick' if first == '`' else f'`{first}`'}"
        return Unreadable(number(noticed), message, "put the value in quotes")
    wanted = re.search("block mapping|node content", f"{context}: {problem}")
    if wanted and here[noticed.column :].startswith(":"):
        return Unreadable(number(noticed), "a key is missing before the colon", "write the key")
    for pattern, at_start, message, fix in _EXPLANATIONS:
        if re.search(pattern, f"{context}: {problem}"):
            return Unreadable(number(started if at_start else noticed), message, fix)
    return Unreadable(number(noticed), f"this isn't YAML: {problem}", "mend this line or the one above it")
