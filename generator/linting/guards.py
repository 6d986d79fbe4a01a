"""What our own rendered text never has, because a reviewer reads it and an editor would change it.

These are about the text, not about AWS: a template from elsewhere may have any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.findings import Finding, severity_of

TITLES = {
    "E9901": "trailing blanks",
    "E9902": "two empty lines in a row",
    "E9903": "end of the file",
    "E9904": "tab",
    "E9905": "a Jinja print statement that was not rendered",
    "E9906": "a Jinja statement or comment that was not rendered",
    "E9907": "YAML anchor or alias",
    "E9908": "carriage return",
}
"""Guard id to what it is about."""

# `{{resolve:` is CloudFormation's own: a dynamic reference to a secret or a parameter.
_PRINT = re.compile(r"\{\{(?!resolve:)")
_STATEMENT = re.compile(r"\{%|%\}|\{#|#\}")
_MAYBE_ANCHOR = re.compile(r"(?:^|[\s\[,{:])([&*][^\s,\[\]{}&*]+)", re.MULTILINE)


def guard_text(text: str, file: str = "") -> list[Finding]:
    """Findings of error level about rendered `text`, in the order of their lines."""
    findings = [*_line_findings(text, file), *_end(text, file), *_anchors(text, file)]
    return sorted(findings, key=lambda finding: finding.order)


def _finding(rule: str, message: str, file: str, line: int, column: int, length: int = 1) -> Finding:
    return Finding(
        rule, severity_of(rule), message, (), line, column, line, column + length, file, TITLES[rule]
    )


def _line_findings(text: str, file: str) -> Iterator[Finding]:
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        bare = line.rstrip(" \t\r")
        if len(line.rstrip("\r")) > len(bare):
            yield _finding(
                "E9901", "blanks at the end of the line", file, number, len(bare) + 1, len(line) - len(bare)
            )
        if not line and number > 1 and not lines[number - 2] and number < len(lines):
            yield _finding("E9902", "a second empty line", file, number, 1)
        if "\t" in line:
            yield _finding("E9904", "a tab", file, number, line.index("\t") + 1)
        if "\r" in line:
            yield _finding("E9908", "a carriage return", file, number, line.index("\r") + 1)
        for match in _PRINT.finditer(line):
            yield _finding("E9905", "{{ is left in the text", file, number, match.start() + 1, 2)
        for match in _STATEMENT.finditer(line):
            yield _finding("E9906", f"{match[0]} is left in the text", file, number, match.start() + 1, 2)


def _end(text: str, file: str) -> Iterator[Finding]:
    last = text.count("\n")
    if not text.endswith("\n"):
        yield _finding("E9903", "no newline at the end", file, last + 1, len(text) - text.rfind("\n"))
    elif text.endswith("\n\n") or text == "\n":
        yield _finding("E9903", "an empty line at the end", file, last, 1)


def _anchors(text: str, file: str) -> Iterator[Finding]:
    # Reading the events costs more than everything else here, and hardly any text can have an anchor at all.
    if not _MAYBE_ANCHOR.search(text):
        return
    import yaml

    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            anchor = getattr(event, "anchor", None)
            if anchor is not None:
                sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
                mark = event.start_mark
                message = f"{sign}{anchor}: write the value out, reviewers don't resolve references"
                yield _finding("E9907", message, file, mark.line + 1, mark.column + 1, len(anchor) + 1)
    except (yaml.YAMLError, ValueError):
        return  # broken YAML is what the linter says about the text
