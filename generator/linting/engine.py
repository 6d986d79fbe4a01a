"""Text to findings: the cache first, then cfn-lint and our own checks, on both cores where there
is enough to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from generator.document import Document, MalformedDocument, parse
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

    @property
    def subject(self) -> tuple[str, str]:
        """What the findings depend on, without the file they are about."""
        return self.text, self.region


def lint_text(text: str, file: str, region: str, *, cache: Cache | None = None) -> list[Finding]:
    """The findings about a template, sorted by place.

    Text that is no CloudFormation document gives one finding, E0000, at the line that breaks it. What the
    template's `Metadata.cfn-lint` ignores, as a whole or for a resource, is left out. A `cache` answers for a
    text it has seen, without importing cfn-lint.
    """
    return lint_many([Job(text, file, region)], cache=cache)[0]


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


def _lint(subject: tuple[str, str]) -> list[Finding]:
    """The findings about a text for a region, sorted, without a file."""
    text, region = subject
    try:
        document = parse(text)
    except MalformedDocument as error:
        return [_unreadable(error)]
    from generator.linting import checks, linter

    said = linter.run(text, region)
    if not any(finding.rule == "E0000" for finding in said):
        said += _not_ignored(document, checks.run(document))
    return sorted(dict.fromkeys(said), key=lambda finding: finding.order)


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


def _not_ignored(document: Document, findings: Sequence[Finding]) -> list[Finding]:
    """The findings that the template's `Metadata.cfn-lint` lets through, as cfn-lint reads it.

    For the whole template it names ids or their beginnings (`W95`), for a resource whole ids.
    """
    everywhere = tuple(_ignored(document.data))
    of_resource = {one.path: _ignored(one.attributes) for one in document.resources.values()}
    return [
        finding
        for finding in findings
        if not (everywhere and finding.rule.startswith(everywhere))
        and finding.rule not in of_resource.get(finding.path[:2], ())
    ]


def _ignored(holder: dict[str, Any]) -> list[str]:
    value: Any = holder
    for key in ("Metadata", "cfn-lint", "config", "ignore_checks"):
        value = value.get(key) if isinstance(value, dict) else None
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []
