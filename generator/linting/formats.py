"""Findings as text for people, and as JSON, SARIF, JUnit XML and GitHub annotations for machines.

Each format is a pure function of the findings. What a template holds reaches a terminal, an XML parser or a
log only after everything that could act there was made visible.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from generator import __version__
from generator.linting.findings import Finding

_TOOL = "cloakform"

# Control characters, the separators that some readers take for line ends, and what
# turns the writing direction.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: str) -> str:
    """`text` with every character that a terminal or XML could stumble over written as an
    escape: one line, always.
    """
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def text_lines(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """(kind, line) of what `as_text` says, for whoever colours it; kind is a severity, `origin` or `fix`."""
    lines = []
    for finding in findings:
        place = ":".join(
            map(str, [finding.file, finding.line, finding.column] if finding.line else [finding.file])
        )
        said = f"{place} {finding.severity} {finding.rule} {finding.message}"
        lines.append((finding.severity, printable(said)))
        origins = _origins(finding)
        if origins:
            lines.append(("origin", f"    from {', '.join(printable(words) for _, _, words in origins)}"))
        if finding.fix:
            lines.append(("fix", f"    fix: {printable(finding.fix)}"))
    return lines


def as_text(findings: Iterable[Finding]) -> str:
    """As compilers write: a line for each finding, and below it where the line came from and what to do.

    Empty without findings; else it ends with a newline.
    """
    return "".join(f"{line}\n" for _, line in text_lines(findings))


def as_json(findings: Iterable[Finding]) -> str:
    """A JSON list with an object for each finding: all its fields, under their names. ASCII."""
    return (
        json.dumps([{**asdict(finding), "path": list(finding.path)} for finding in findings], indent=2) + "\n"
    )


def as_sarif(findings: Iterable[Finding]) -> str:
    """SARIF 2.1.0 (OASIS), one run; the template line and the params line are related locations of a result.

    URIs are relative to the project folder, which is where code-scanning services expect a checkout.
    """
    findings = list(findings)
    rules = {finding.rule: finding for finding in reversed(findings)}
    order = sorted(rules)
    run = {
        "tool": {
            "driver": {
                "name": _TOOL,
                "version": __version__,
                "rules": [_sarif_rule(rules[rule]) for rule in order],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(finding, order.index(finding.rule)) for finding in findings],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def as_junit(findings: Iterable[Finding], files: Sequence[str] = ()) -> str:
    """JUnit XML: a suite for each file, a case for each finding. Errors fail; the rest pass and
    are in the output.

    `files` are all that were linted, so that one without findings shows as passed.
    """
    from xml.etree import ElementTree

    findings = list(findings)
    names = dict.fromkeys([*files, *(finding.file for finding in findings)])
    root = ElementTree.Element("testsuites", name=_TOOL)
    for name in names:
        own = [finding for finding in findings if finding.file == name]
        suite = ElementTree.SubElement(root, "testsuite", name=printable(name))
        for finding in own:
            where = ".".join(map(str, finding.path)) or finding.title
            title = printable(f"{finding.rule} {where} line {finding.line}")
            case = ElementTree.SubElement(suite, "testcase", classname=printable(name), name=title)
            if finding.severity == "error":
                failure = ElementTree.SubElement(
                    case, "failure", type=finding.rule, message=printable(finding.message)
                )
                failure.text = as_text([finding])
            else:
                ElementTree.SubElement(case, "system-out").text = as_text([finding])
        if not own:
            ElementTree.SubElement(suite, "testcase", classname=printable(name), name="no findings")
        _count(suite, [suite])
    _count(root, root)
    ElementTree.indent(root)
    # The declaration by hand: the library would name the machine's encoding.
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def as_github(findings: Iterable[Finding]) -> str:
    """GitHub workflow commands: an annotation for each finding at the template line, which
    is what gets edited.

    A finding without a template line is shown at the rendered file.
    """
    levels = {"error": "error", "warning": "warning", "info": "notice"}
    lines = []
    for finding in findings:
        file, line = finding.file, finding.line
        if finding.template_file:
            file, line = finding.template_file, finding.template_line
        said = as_text([finding]).rstrip("\n")
        properties = {
            "file": file,
            "line": str(line or 1),
            "title": f"{finding.rule} {finding.title}".strip(),
        }
        named = ",".join(f"{key}={_github(printable(value), ':,')}" for key, value in properties.items())
        lines.append(f"::{levels[finding.severity]} {named}::{_github(said)}\n")
    return "".join(lines)


FORMATS: dict[str, Callable[[list[Finding]], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
    "github": as_github,
}
"""Name of each format, as a user chooses it, to its function."""


def _origins(finding: Finding) -> list[tuple[str, int, str]]:
    """(file, line, words) of the template line and the params value behind a finding, as far
    as they are known.
    """
    found = []
    if finding.template_file:
        place = f"{finding.template_file}:{finding.template_line}"
        found.append((finding.template_file, finding.template_line, place))
    if finding.params_file:
        words = f"{finding.params_file}:{finding.params_line} {finding.params_key}"
        found.append((finding.params_file, finding.params_line, words))
    elif finding.params_key:
        found.append(("", 0, finding.params_key))
    return found


def _sarif_rule(finding: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": finding.rule, "shortDescription": {"text": finding.title or finding.rule}}
    if finding.source_url:
        rule["helpUri"] = finding.source_url
    return rule


def _sarif_result(finding: Finding, index: int) -> dict[str, Any]:
    levels = {"error": "error", "warning": "warning", "info": "note"}
    region = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
    }
    related = [
        {**_sarif_location(file, {"startLine": line}), "id": number, "message": {"text": words}}
        for number, (file, line, words) in enumerate(_origins(finding), 1)
        if file
    ]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": levels[finding.severity],
        "message": {"text": finding.message + (f" (fix: {finding.fix})" if finding.fix else "")},
        "locations": [_sarif_location(finding.file, region)],
    }
    if related:
        result["relatedLocations"] = related
    return result


def _sarif_location(file: str, region: dict[str, int]) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(file.replace("\\", "/"), errors="replace")}}
    if region["startLine"] > 0:
        physical["region"] = region
    return {"physicalLocation": physical}


def _count(element: Any, suites: Iterable[Any]) -> None:
    cases = [case for suite in suites for case in suite.findall("testcase")]
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", "0")


def _github(value: str, more: str = "") -> str:
    """`value` with what ends a property or a command written as a percent code."""
    for character in "%\r\n" + more:
        value = value.replace(character, f"%{ord(character):02X}")
    return value
