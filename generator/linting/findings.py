"""What a linter says, as a value, and where the line it speaks of came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

SEVERITIES = ("error", "warning", "info")
"""From what has to be mended to what is good to know."""


@dataclass(frozen=True)
class Finding:
    """One thing a rule has to say about one place of a rendered file.

    Lines and columns count from 1; `end_column` is the first column behind the place. Empty text and line 0
    stand for "not known".
    """

    rule: str
    """Id of the rule: `E3002`."""
    severity: str
    """One of SEVERITIES."""
    message: str
    path: tuple[Any, ...] = ()
    """Keys and list positions from the top of the document."""
    line: int = 0
    column: int = 1
    end_line: int = 0
    end_column: int = 1
    file: str = ""
    """The rendered file, as the user would type it."""
    title: str = ""
    """What the rule is about, in a few words."""
    fix: str = ""
    """What to write instead, as an instruction."""
    source_url: str = ""
    """The page of the outside world the rule stands on."""
    template_file: str = ""
    template_line: int = 0
    """The template line that wrote the line."""
    params_key: str = ""
    params_file: str = ""
    params_line: int = 0
    """The params value that decided it."""
    about: str = ""
    """The option it speaks of (`--db-url`), where `path` leads to several: the line of a shell."""

    @property
    def order(self) -> tuple[Any, ...]:
        """Key to sort by: file, place, then rule."""
        return (self.file, self.line, self.column, self.rule, self.message, tuple(map(str, self.path)))


class LineOrigin(Protocol):
    """Where one rendered line came from; `params_key` is empty or None where no params value decided it."""

    template_file: str
    template_line: int
    params_key: str | None


def with_origins(
    findings: Iterable[Finding],
    origins: Sequence[LineOrigin | None],
    params_place: Callable[[str], tuple[str, int] | None] | None = None,
) -> list[Finding]:
    """The findings, with the template line and the params value behind each.

    `origins` has one entry per line of the text they are about, the first for line 1; `params_place` gives
    (file, line) of a dotted params key, None where the key stands in no file (a default).
    """
    return [_with_origin(finding, origins, params_place) for finding in findings]


def _with_origin(finding: Finding, origins: Sequence[LineOrigin | None], params_place: Any) -> Finding:
    origin = origins[finding.line - 1] if 0 < finding.line <= len(origins) else None
    if origin is None:
        return finding
    key = origin.params_key or ""
    file, line = (params_place(key) if key and params_place else None) or ("", 0)
    return replace(
        finding,
        template_file=origin.template_file,
        template_line=origin.template_line,
        params_key=key,
        params_file=file,
        params_line=line,
    )


def severity_of(rule: str) -> str:
    """What a rule id's first letter says: E error, W warning, I info. Anything else is taken for an error."""
    return {"W": "warning", "I": "info"}.get(rule[:1], "error")
