"""Text to findings: the cache first, then cfn-lint and our own checks, on both cores where there
is enough to do.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
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
    informational: bool = False
    """Whether cfn-lint's informational rules have a say."""


def lint_text(
    text: str, file: str, region: str, *, informational: bool = False, cache: Cache | None = None
) -> list[Finding]:
    """The findings about a template, sorted by place.

    Text that is no CloudFormation document gives one finding, E0000, at the line that breaks it. What the
    template's `Metadata.cfn-lint` ignores, as a whole or for a resource, is left out. A `cache` answers for a
    text it has seen, without importing cfn-lint. Raises ProjectError for a region cfn-lint doesn't know.
    """
    return lint_many([Job(text, file, region, informational)], cache=cache)[0]


def lint_many(
    jobs: Iterable[Job], *, cache: Cache | None = None, processes: int | None = None
) -> list[list[Finding]]:
    """The findings of each job, in the order of the jobs.

    Each text is linted once, however many jobs have it. `processes` is how many may run at once, by default
    one for each core; 1 stays in this process. An interrupt ends the other processes before it goes on.
    """
    jobs = list(jobs)
    results: dict[tuple[Any, ...], list[Finding]] = {}
    keys: dict[tuple[Any, ...], str] = {}
    for job in jobs:
        identity = _identity(job)
        if identity in results:
            continue
        keys[identity] = cache.key(job.text, job.region, job.informational) if cache and cache.enabled else ""
        known = cache.load(keys[identity]) if cache and keys[identity] else None
        if known is not None:
            results[identity] = known
    missing = list(dict.fromkeys(_identity(job) for job in jobs if _identity(job) not in results))
    workers = min(processes or _cores(), len(missing), MAX_PROCESSES)
    fresh = _in_pool(missing, workers) if workers > 1 and len(missing) >= POOL_FROM else map(_lint, missing)
    for identity, found in zip(missing, fresh):
        results[identity] = found
        if cache and keys[identity]:
            cache.store(keys[identity], found)
    return [in_file(results[_identity(job)], job.file) for job in jobs]


def _identity(job: Job) -> tuple[str, str, bool]:
    return (job.text, job.region, job.informational)


def _cores() -> int:
    # The cores this process may use, which in a container are fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _lint(identity: tuple[str, str, bool]) -> list[Finding]:
    """The findings about a text, sorted, without a file."""
    text, region, informational = identity
    try:
        document = parse(text)
    except MalformedDocument as error:
        return [_unreadable(error)]
    from generator.linting import checks, linter

    said = linter.run(text, region, informational)
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
    of_resource = {
        logical_id: set(_ignored(resource.attributes)) for logical_id, resource in document.resources.items()
    }
    return [
        finding
        for finding in findings
        if not (everywhere and finding.rule.startswith(everywhere))
        and not (finding.path[:1] == ("Resources",) and finding.rule in of_resource.get(finding.path[1], ()))
    ]


def _ignored(holder: dict[str, Any]) -> list[str]:
    value: Any = holder
    for key in ("Metadata", "cfn-lint", "config", "ignore_checks"):
        value = value.get(key) if isinstance(value, dict) else None
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []


def _in_pool(identities: Sequence[tuple[str, str, bool]], workers: int) -> list[list[Finding]]:
    from concurrent.futures import ProcessPoolExecutor

    # Spawned, not forked: the caller may have threads (a progress display), and those don't survive a fork.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        try:
            with _interrupts_held():  # a worker has them, too, until it says it doesn't
                results = pool.map(_lint, identities)
            return list(results)
        except BaseException:
            # Nobody waits for the results any more; leaving the block waits until the last worker is gone.
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits until the end of the block, and processes started in it see none before they ask to."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker() -> None:
    """Leave interrupts to the parent, and go when it goes, however it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
