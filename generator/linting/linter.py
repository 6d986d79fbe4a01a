"""cfn-lint in this process: its rules are made once, and a template is decoded once."""

from __future__ import annotations

import contextlib
import difflib
import functools
import gc
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from generator.linting.findings import Finding


def run(text: str, region: str, info: bool = False) -> list[Finding]:
    """What cfn-lint says about a template, in no particular order and without a file.

    The template's `Metadata.cfn-lint` counts, so an exception is made where reviewers see it. A `.cfnlintrc`
    of the machine doesn't: the same text gives the same findings everywhere. A region that cfn-lint doesn't
    know is the only finding there is then.
    """
    from cfnlint.decode.decode import decode_str
    from cfnlint.runner.template import run_template_by_data

    if unknown := _unknown_region(region):
        return [unknown]
    with _no_collection():
        template, matches = decode_str(text)
        if not matches:
            matches = list(run_template_by_data(template, _config(region, info), _rules()))
        return list(_findings(matches))


_RAISED = '" raised while validating \''
_CRASH = re.compile(r"Unknown exception while processing rule (\w+): (.*)", re.DOTALL)


def _plain(message: str) -> str:
    """A crash of cfn-lint's in words that say whose it is; any other message as it is."""
    match = _CRASH.fullmatch(message)
    if not match:
        return message
    return f"cfn-lint's rule {match[1]} can't cope with this template and checked nothing of it: {match[2]}"


@functools.cache
def _rules() -> Any:
    """All rules, made once: `cfnlint.api.lint` makes its 337 anew at each call, which
    takes longer than linting.
    """
    from cfnlint.runner import Runner

    return Runner(_config("us-east-1")).rules


def _config(region: str, info: bool = False) -> Any:
    # A fresh one for each template, since cfn-lint writes the template's own settings into it.
    from cfnlint.config import ConfigMixIn

    asked = ["--include-checks", "I"] if info else []
    return ConfigMixIn(["--config-file", os.devnull, *asked], regions=[region])


def _unknown_region(region: str) -> Finding | None:
    from cfnlint.helpers import REGIONS

    if region in REGIONS:
        return None
    near = difflib.get_close_matches(region, REGIONS, 1)
    return Finding("E9599", "error", f"cfn-lint knows no region {region!r}", title="The region is a known one",
                   fix=f"did you mean {near[0]}?" if near else "")


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


def is_crash(finding: Finding) -> bool:
    """Whether one of cfn-lint's rules couldn't cope with the template and says no more than that."""
    return finding.rule == "E0002" or _RAISED in finding.message and finding.message.startswith('Exception "')


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
            message=_plain(str(match.message)) + why,
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
