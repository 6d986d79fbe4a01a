"""Text to findings: the cache first, then cfn-lint and our own rules, on both cores where there
is enough to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from generator.document import Document, MalformedDocument, Path, parse
from generator.linting.cache import Cache, in_file
from generator.linting.findings import Finding

POOL_FROM = 4
"""Texts to be linted from which a second process earns the second it takes to start."""

MAX_PROCESSES = 8


@dataclass(frozen=True)
class Job:
    """A text to lint."""

    text: str
    file: str
    """What findings call it: the rendered file."""
    region: str
    keycloak_version: str = ""
    """The version of Keycloak (`26.7.4`) where somebody knows it; else image tags tell it, or nothing
    does."""

    info: bool = False
    """Whether to tell what is only good to know, too (ids with I)."""

    @property
    def subject(self) -> tuple[str, str, str, bool]:
        """What the findings depend on, without the file they are about."""
        return self.text, self.region, self.keycloak_version, self.info


def lint_text(
    text: str, file: str, region: str, *, keycloak_version: str = "", cache: Cache | None = None
) -> list[Finding]:
    """The findings about a template, sorted by place.

    Text that is no CloudFormation document gives one finding, E0000, at the line that breaks it. What the
    template's `Metadata.cfn-lint` ignores, as a whole or for a resource, is left out. A `cache` answers for a
    text it has seen, without importing cfn-lint.
    """
    return lint_many([Job(text, file, region, keycloak_version)], cache=cache)[0]


def lint_many(
    jobs: Iterable[Job], *, cache: Cache | None = None, processes: int | None = None
) -> list[list[Finding]]:
    """The findings of each job, in the order of the jobs.

    Each text is linted once, however many jobs have it. `processes` is how many may run at once, by default
    one for each core; 1 stays in this process. An interrupt ends the other processes before it goes on.
    """
    jobs = list(jobs)
    subjects = list(dict.fromkeys(job.subject for job in jobs))
    cache = cache if cache and cache.enabled else None
    keys = {subject: cache.key(*subject) for subject in subjects} if cache else {}
    results = {subject: known for subject, key in keys.items() if (known := cache.load(key)) is not None}
    missing = [subject for subject in subjects if subject not in results]
    workers = min(processes or _cores(), len(missing), MAX_PROCESSES)
    if workers > 1 and len(missing) >= POOL_FROM:
        from generator.linting.pool import map_in_processes

        fresh: Iterable[list[Finding]] = map_in_processes(_lint, missing, workers)
    else:
        fresh = map(_lint, missing)
    for subject, found in zip(missing, fresh):
        results[subject] = found
        if cache:
            cache.store(keys[subject], found)
    return [in_file(results[job.subject], job.file) for job in jobs]


def _cores() -> int:
    # Those this process may use, which in a container are fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _lint(subject: tuple[str, str, str, bool]) -> list[Finding]:
    """The findings about a text for a region and a Keycloak version, sorted, without a file."""
    text, region, version, info = subject
    try:
        document = parse(text)
    except MalformedDocument as error:
        return [_unreadable(error)]
    from generator.linting import linter

    said = linter.run(text, region, info)
    if not any(finding.rule == "E0000" for finding in said):
        said += own_findings(document, region, version, info)
    if odd := _odd(document):
        # What cfn-lint makes of them is a crash, or says less.
        places = {one.path for one in odd}
        said = [one for one in said if not linter.is_crash(one) and not (one.path in places and one.rule[:1] == "E")]
        said += odd
    return sorted(dict.fromkeys(said), key=lambda finding: finding.order)


def own_findings(
    document: Document, region: str, keycloak_version: str = "", info: bool = False
) -> list[Finding]:
    """What our own rules say, without cfn-lint's, in no particular order; the template's `Metadata.cfn-lint`
    counts."""
    from generator.linting import pack
    from generator.linting.view import View

    view = View(document, region=region, keycloak_version=keycloak_version or configured_version(document))
    return _not_ignored(document, pack.run_all(view), info)


_SECTIONS = ("Parameters", "Mappings", "Conditions", "Rules", "Resources", "Outputs")


def _odd(document: Document) -> list[Finding]:
    """The sections, and the resources, parameters, outputs... in them, that are no mappings."""
    found = []
    for section in _SECTIONS:
        inside = document.data.get(section, {})
        if not isinstance(inside, dict):
            found.append(_no_mapping(document, (section,), inside))
            continue
        for name, value in inside.items():
            # A loop is a list.
            if not isinstance(value, dict) and not str(name).startswith("Fn::"):
                found.append(_no_mapping(document, (section, name), value))
    return found


def _no_mapping(document: Document, path: Path, value: Any) -> Finding:
    span = document.span(path)
    kind = "empty" if value is None else "a list" if isinstance(value, list) else "a single value"
    return Finding(
        "E0000",
        "error",
        f"{'.'.join(map(str, path))} is {kind} and has to be a mapping of keys to values",
        path,
        span.line,
        span.column,
        span.end_line,
        span.end_column,
        title="A template can be read",
        fix="write what belongs there, or take it away",
        source_url="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html",
    )


def _unreadable(error: MalformedDocument) -> Finding:
    problem = error.problem
    line = max(problem.line, 1)
    return Finding(
        "E0000",
        "error",
        problem.message,
        line=line,
        column=error.column,
        end_line=line,
        end_column=error.column + 1,
        title="A template can be read",
        fix=problem.fix,
        source_url="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html",
    )


def _not_ignored(document: Document, findings: Sequence[Finding], info: bool) -> list[Finding]:
    """The findings that the template's `Metadata.cfn-lint` lets through, as cfn-lint reads it.

    For the whole template it names ids or their beginnings (`W95`), for a resource whole ids. What only informs
    has to be asked for, by `info` or by `include_checks`.
    """
    everywhere = tuple(_names(document.data, "ignore_checks"))
    included = ("E", "W", *(["I"] if info else _names(document.data, "include_checks")))
    of_resource = {one.path: _names(one.attributes, "ignore_checks") for one in document.resources.values()}
    return [
        finding
        for finding in findings
        if finding.rule.startswith(included)
        and not (everywhere and finding.rule.startswith(everywhere))
        and finding.rule not in of_resource.get(finding.path[:2], ())
    ]


def configured_version(document: Document) -> str:
    """The Keycloak version that the template's `Metadata.cfn-lint` says, for any of our rules; empty if it
    says none.

    `configure_rules: {E9001: {keycloak_version: 26.7.4}}` is what cfn-lint has for settings of rules.
    """
    rules = _config(document.data, "configure_rules")
    for one in rules.values() if isinstance(rules, dict) else ():
        said = one.get("keycloak_version") if isinstance(one, dict) else None
        if said:
            return str(said)
    return ""


def _names(holder: dict[str, Any], setting: str) -> list[str]:
    """The ids, or their beginnings, that a setting of cfn-lint's names."""
    value = _config(holder, setting)
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []


def _config(holder: dict[str, Any], name: str) -> Any:
    value: Any = holder
    for key in ("Metadata", "cfn-lint", "config", name):
        value = value.get(key) if isinstance(value, dict) else None
    return value
