"""What the command line prints, as text: summaries, problems, explanations. Colour is given as style names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from generator.errors import Problem

if TYPE_CHECKING:  # a run that finds nothing to do prints its table without them
    from generator.build import Built
    from generator.params.explain import Explanation

Line = tuple[str, str]
"""A style (`error`, `warning`, `info`, `dim`, or empty) and a text."""


def row(built: Built, changed: str) -> dict:
    """A summary row of one environment; `changed` says what became of its files."""
    return {"environment": built.name, "resources": built.resources, "bytes": built.size, "errors": built.errors,
            "warnings": built.warnings, "files": changed}


def findings_cell(one: dict) -> str:
    """`2 errors, 1 warning`, or `none`."""
    parts = [f"{one[kind]} {kind[:-1] if one[kind] == 1 else kind}" for kind in ("errors", "warnings") if one[kind]]
    return ", ".join(parts) or "none"


def changed_cell(built: Built, written: bool) -> str:
    """What became of an environment's files."""
    if built.hand_over is None or built.errors:
        return "not written"
    if not built.differences:
        return "unchanged"
    count = len(built.differences)
    files = f"{count} file{'s' if count > 1 else ''}"
    return f"{files} written" if written else f"{files} differ"


def table(rows: list[dict], console) -> None:
    """Prints the summary through a rich console."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in (("environment", "left"), ("resources", "right"), ("bytes", "right"), ("findings", "left"),
                           ("files", "left")):
        made.add_column(title, justify=justify, no_wrap=True)
    for one in rows:
        made.add_row(one["environment"], f"{one['resources']:,}" if one["resources"] else "-",
                     f"{one['bytes']:,}" if one["bytes"] else "-", findings_cell(one), one["files"])
    console.print(made)


def grid(rows: list[dict[str, str]], console) -> None:
    """Prints rows of texts under the names of their columns, which all rows share, through a rich console."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in rows[0] if rows else ():
        made.add_column(title, no_wrap=title != "why")
    for one in rows:
        made.add_row(*(Text(text) for text in one.values()))
    console.print(made)


def problem_lines(problems: Iterable[Problem]) -> Iterator[Line]:
    """Two lines for each problem: where and what, then what to do."""
    for problem in problems:
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        key = f"{problem.key}: " if problem.key else ""
        yield problem.severity, f"{place}: {problem.severity}: {key}{problem.message}"
        if problem.fix:
            yield "dim", f"    {problem.fix}"


def explanation_lines(found: Explanation) -> Iterator[Line]:
    """A key's meaning, type and default, and its value with the files that set it."""
    key = found.key
    yield "bold", key.path
    yield "", f"  {key.description}"
    yield "", f"  type      {key.type}" + (f" ({key.unit})" if key.unit else "")
    if not key.section:
        yield "", f"  default   {'required' if key.required else key.default}"
    if found.environment:
        where = ""
        if found.chain:
            where = f"   set at {found.chain[-1].file}:{found.chain[-1].line}"
        elif not key.section:
            where = "   the default"
        yield "", f"  in {found.environment}    {found.value}{where}"
        if len(found.chain) > 1:
            for setting in found.chain:
                yield "dim", f"    {setting.file}:{setting.line}  {setting.text}"
    for child in found.children:
        yield "", f"  {child.path.rsplit('.', 1)[1]:<24} {child.description}"
