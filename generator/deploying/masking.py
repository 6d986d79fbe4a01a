"""What a deployment's report never shows: NoEcho values, secrets that the template spells out, and
whatever looks like a password in a text of AWS' or of a log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from generator.deploying.target import Target
from generator.document import Document, Path, parse
from generator.errors import DocumentError
from generator.resolving import scalar_text
from generator.showing.hiding import HIDDEN, Secrets
from generator.showing.literals import hides, no_echo

# A value that a name calls a secret, as logs, URLs, JSON and command lines write it: what stays, then the
# value. It begins where a word does: tried at each character of a long one, it would take its length squared.
_NAME = (
    r"(?<![\w.-])[\w.-]*?"
    r"(?:password|passwd|passphrase|secret|token|api[_.-]?key|access[_.-]?key|credentials?)"
)
_PARTS = tuple(
    re.compile(part, re.IGNORECASE)
    for part in (
        rf"""({_NAME}\\?["']?\s*[=:]\s*)(?:\\?"[^"\\]+\\?"|'[^']+'|[^\s"',;&)\]}}]+)""",
        r"(?<!\S)(--[\w.-]*?(?:password|passphrase|secret|token)\s+)(?!-)\S+",
        r"(://[^/\s:@?#]*:)[^/\s@?#]+(?=@)",
        r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*",
        r"()\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    )
)
# Where a secret is, and how it is handed over, is no secret: ARNs, dynamic references, error codes.
_HARMLESS = re.compile(
    r"""\\?["']?(?:arn:|\{\{resolve:|\$\{|\*+|\[hidden|null\b|true\b|false\b|[A-Z]\w*(?:Exception|Error)\b)"""
)
_IN_ARN = re.compile(r"arn:[^\s\"']*$")


_SHORTEST = 4
"""Characters of a value that can be a secret."""


class Masking:
    """Values that are hidden wherever they stand."""

    def __init__(self, values: Iterable[str] = ()):
        # The longest first: one may be a part of another. What is too short would blank out ordinary words.
        self._values = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """The text with `[hidden]` in the place of every known value, and of everything that its name or
        its shape calls a secret."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        for part in _PARTS:
            text = part.sub(_hidden, text)
        # Tokens, cookies, and parameters of requests.
        return Secrets().hide(text)


def of(target: Target) -> Masking:
    """What is to be hidden of an environment: values and defaults of its NoEcho parameters, and literals
    in its template that are secrets by their name or shape."""
    try:
        document = parse(target.template)
    except DocumentError:
        # What it says isn't known: then every parameter's value is one.
        return Masking(target.parameters.values())
    names = set(silent(document))
    values = [value for name, value in target.parameters.items() if name in names]
    values += [scalar_text(one.get("Default")) or "" for one in declared(document).values() if no_echo(one)]
    return Masking([*values, *_literals(document.data.get("Resources"), ())])


def silent(document: Document) -> tuple[str, ...]:
    """Names of a template's NoEcho parameters."""
    return tuple(name for name, one in declared(document).items() if no_echo(one))


def declared(document: Document) -> dict[str, dict[str, Any]]:
    """What is said of a template's parameters, by name."""
    section = document.data.get("Parameters")
    listed = section.items() if isinstance(section, dict) else ()
    return {str(name): one for name, one in listed if isinstance(one, dict)}


def _literals(value: Any, path: Path) -> Iterator[str]:
    if isinstance(value, dict):
        named = value.get("Name")
        for key, inner in value.items():
            step = (f"[{named}]",) if key == "Value" and isinstance(named, str) else ()
            yield from _literals(inner, (*path, *step, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _literals(inner, path)
    elif isinstance(value, str) and "{{resolve:" not in value and len(value) < 500 and hides(path, value):
        yield value


def _hidden(found: re.Match[str]) -> str:
    rest = found[0][len(found[1]) :]
    harmless = _HARMLESS.match(rest) or _IN_ARN.search(found.string[: found.start()])
    return found[0] if harmless else found[1] + HIDDEN
