"""A drill's report as text, Markdown, JSON and JUnit. The page with the timeline is `page`'s."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any
from xml.etree import ElementTree

from generator.drilling.promises import BROKEN, KEPT, NOT_RUN, Cause, Promise, Report, StepReport

Line = tuple[str, str]
"""A style (`error`, `warning`, `info`, `dim`, `bold`, or empty) and a text."""

STYLES = {KEPT: "info", BROKEN: "error", NOT_RUN: "dim"}
_MOST_EVIDENCE = 8


def summary(report: Report) -> str:
    """`31 kept, 2 broken, 4 not run, in 12 min 5 s`."""
    parts = [
        f"{report.count(KEPT)} kept",
        f"{report.count(BROKEN)} broken",
        f"{report.count(NOT_RUN)} not run",
    ]
    stopped = "; stopped before its end" if report.interrupted else ""
    return f"{', '.join(parts)}, in {duration(report.ended - report.started)}{stopped}"


def duration(seconds: float) -> str:
    """`45 s`, `12 min 5 s`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def place(report: Report, line: int) -> str:
    """`rendered/dev/template.yaml:405`; only the file where no line is known."""
    return f"{report.file}:{line}" if line else report.file


def text_lines(report: Report, *, evidence: bool = False) -> Iterator[Line]:
    """The report for a terminal: every promise, and for broken ones why and what to do."""
    for step in report.steps:
        yield "bold", step.title
        for promise in step.promises:
            figures = ", ".join(figure.text for figure in promise.figures)
            yield STYLES[promise.verdict], f"  {promise.verdict:<8} {promise.text}" + (
                f": {figures}" if figures else ""
            )
            if promise.reason:
                yield ("error" if promise.verdict == BROKEN else "dim"), f"           {promise.reason}"
            for cause in promise.causes:
                yield "warning", f"           because {cause.text} ({place(report, cause.line)})"
                if cause.fix:
                    yield "dim", f"             {cause.fix}"
            if evidence or promise.verdict == BROKEN:
                for line in promise.evidence[:_MOST_EVIDENCE]:
                    yield "dim", f"           | {line}"
    yield ("bold" if report.kept else "error"), summary(report)


def as_json(report: Report, *, timeline: bool = True) -> str:
    """Everything, as JSON; times are seconds since the epoch, durations seconds."""
    values: dict[str, Any] = asdict(report)
    if not timeline:
        del values["timeline"]
    values["kept"] = report.kept
    values["summary"] = {verdict: report.count(verdict) for verdict in (KEPT, BROKEN, NOT_RUN)}
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def markdown(report: Report) -> str:
    """The report as Markdown: a table of all promises, then what is broken and the evidence step by step."""
    lines = [f"# Drill of {_text(report.name)}", "",
             f"Keycloak {_text(report.version or 'of unknown version')}, template `{report.file}`, "
             f"{'a rehearsal' if report.local else 'a deployed environment'}, {moment(report.started)}.", "",
             f"**{summary(report)}.**", "", "| step | promise | verdict | figures |", "|---|---|---|---|"]
    for step in report.steps:
        for promise in step.promises:
            figures = ", ".join(figure.text for figure in promise.figures)
            verdict = f"**{promise.verdict}**" if promise.verdict == BROKEN else promise.verdict
            lines.append(f"| {_cell(step.title)} | {_cell(promise.text)} | {verdict} | {_cell(figures)} |")
    for step in report.steps:
        lines += [
            "",
            f"## {_text(step.title)}",
            "",
            f"{_text(step.does)} {duration(step.ended - step.started)}.",
        ]
        for promise in step.promises:
            lines += ["", f"### {_text(promise.text)}: {promise.verdict}", ""]
            if promise.reason:
                lines += [_text(promise.reason), ""]
            for cause in promise.causes:
                fix = f" {_text(_sentence(cause.fix))}" if cause.fix else ""
                lines.append(f"- `{place(report, cause.line)}`: {_text(_sentence(cause.text))}{fix}")
            if promise.causes:
                lines.append("")
            lines += [f"- {_text(figure.text)}" for figure in promise.figures]
            if promise.evidence:
                longest = max(
                    (len(run) for line in promise.evidence for run in re.findall("`+", line)), default=0
                )
                fence = "`" * max(longest + 1, 3)
                lines += ["", fence, *promise.evidence, fence]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def junit(report: Report) -> str:
    """The report as JUnit XML: a suite for each step, a case for each promise."""
    root = ElementTree.Element("testsuites", {"name": f"drill {report.name}"})
    for step in report.steps:
        suite = ElementTree.SubElement(root, "testsuite", {
            "name": step.title, "tests": str(len(step.promises)),
            "failures": str(_count(step, BROKEN)), "skipped": str(_count(step, NOT_RUN)), "errors": "0",
            "time": f"{step.ended - step.started:.3f}",
            "timestamp": datetime.fromtimestamp(step.started, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")})
        for promise in step.promises:
            case = ElementTree.SubElement(suite, "testcase", {
                "classname": f"drill.{report.name}.{step.name}", "name": promise.text, "time": "0"})
            if promise.verdict == BROKEN:
                failure = ElementTree.SubElement(
                    case, "failure", {"message": promise.reason, "type": promise.name}
                )
                failure.text = "\n".join(
                    [*(_because(report, cause) for cause in promise.causes), *promise.evidence]
                )
            elif promise.verdict == NOT_RUN:
                ElementTree.SubElement(case, "skipped", {"message": promise.reason})
            said = [figure.text for figure in promise.figures] + list(promise.evidence)
            if said:
                ElementTree.SubElement(case, "system-out").text = "\n".join(said)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def moment(seconds: float) -> str:
    """`2026-11-22 05:30:52 UTC`."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def broken(report: Report) -> Iterable[Promise]:
    """The promises that are broken."""
    return (promise for promise in report.promises if promise.verdict == BROKEN)


def _because(report: Report, cause: Cause) -> str:
    return f"{place(report, cause.line)}: {cause.text}" + (f" ({cause.fix})" if cause.fix else "")


def _count(step: StepReport, verdict: str) -> int:
    return sum(promise.verdict == verdict for promise in step.promises)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")


def _text(text: str) -> str:
    """Text in which nothing is markup."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)


def _cell(text: str) -> str:
    return _text(text).replace("\n", " ")
