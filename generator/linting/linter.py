"""cfn-lint in this process: its rules are made once, and a template is decoded once."""

from __future__ import annotations

import contextlib
import difflib
import functools
import gc
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from generator.errors import ProjectError
from generator.linting.findings import Finding

RULES = Path(__file__).parent / "rules"
"""Rules of our own that are cfn-lint rules; made with cfn-lint's if the folder is there."""


def run(text: str, region: str, informational: bool = False) -> list[Finding]:
    """What cfn-lint says about a template, in no particular order and without a file.

    The template's `Metadata.cfn-lint` counts, so an exception is made where reviewers see it. A `.cfnlintrc`
    of the machine doesn't: the same text gives the same findings everywhere. Raises ProjectError for a region
    that cfn-lint doesn't know.
    """
    from cfnlint.decode.decode import decode_str
    from cfnlint.runner.template import run_template_by_data

    _check_region(region)
    with _no_collection():
        template, matches = decode_str(text)
        if not matches:
            matches = list(run_template_by_data(template, _config(region, informational), _rules()))
        return list(_findings(matches))


@functools.cache
def _rules() -> Any:
    """All rules, made once: `cfnlint.api.lint` makes its 337 anew at each call, which
    takes longer than linting.
    """
    from cfnlint.rules import Rules
    from cfnlint.runner import Runner

    runner = Runner(_config("us-east-1", False))
    if RULES.is_dir():
        runner.rules.update(Rules.create_from_directory(str(RULES)))
    return runner.rules


def _config(region: str, informational: bool) -> Any:
    # A fresh one for each template, since cfn-lint writes the template's own settings into it.
    from cfnlint.config import ConfigMixIn

    checks = {"include_checks": ["I"]} if informational else {}
    return ConfigMixIn(["--config-file", os.devnull], regions=[region], **checks)


def _check_region(region: str) -> None:
    from cfnlint.helpers import REGIONS

    if region not in REGIONS:
        near = difflib.get_close_matches(region, REGIONS, 1)
        hint = f", did you mean {near[0]}?" if near else ""
        raise ProjectError(f"cfn-lint knows no region {region!r}{hint}")


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Without garbage collection, which takes a quarter of the time and finds next to nothing to free."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _findings(matches: Iterable[Any]) -> Iterator[Finding]:
    matches = list(matches)
    # "Not valid under any of the given schemas" comes with one match per schema; alone it says nothing.
    details: dict[str, list[str]] = {}
    for match in matches:
        if match.parent_id:
            details.setdefault(match.parent_id, []).append(match.message)
    for match in matches:
        if match.parent_id:
            continue
        rule = match.rule
        why = f" ({'; '.join(dict.fromkeys(details[match.id]))})" if match.id in details else ""
        yield Finding(
            rule=rule.id,
            severity="info" if rule.severity == "informational" else str(rule.severity),
            message=str(match.message) + why,
            path=tuple(
                step if isinstance(step, int) else str(step) for step in getattr(match, "path", ()) or ()
            ),
            line=match.linenumber,
            column=match.columnnumber,
            end_line=match.linenumberend,
            end_column=match.columnnumberend,
            title=str(rule.shortdesc),
            source_url=str(rule.source_url),
        )
