"""Clean templates, and the single faults of faults.yaml put into them."""

from __future__ import annotations

import functools
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import yaml

from generator.document import parse
from generator.linting import pack
from generator.linting.findings import Finding
from generator.linting.view import View
from generator.params import load
from generator.rendering.engine import Engine
from generator.rendering.handover import hand_over
from tests.cases import BASE, CASES, CHOICES, ENVIRONMENTS, NEWEST, PROJECT, REGION, merged, write_project

PAGE = PROJECT / "docs" / "mutations.md"

_FAULTS = Path(__file__).parent / "faults.yaml"

_NEWEST = {"keycloak": {"version": NEWEST}}
_ADMIN = CHOICES["admin"]["shared"]
_CREATED = merged(BASE, CHOICES["network"]["per-zone"], _ADMIN, CHOICES["certificate"]["create"], _NEWEST)
_DATABASE = CHOICES["database"]["full"]
VARIANTS = {
    "old": CASES["v24-0-5-stock"],
    "old-optimized": CASES["v25-0-6-optimized"],
    "before-encryption": merged(_CREATED, _DATABASE, {"keycloak": {"version": "26.1.5"}}),
    "auth": merged(_CREATED, _DATABASE, CHOICES["path"]["/auth"]),
    "certificates": merged(_CREATED, _DATABASE, CHOICES["client certificates"]["required"]),
    "pinged-in-database": merged(_CREATED, _DATABASE, CHOICES["discovery"]["database"]),
}
"""Environments beside the project's own: name -> params."""


class Fault(NamedTuple):
    """One edit of a clean template: a text of a resource replaced by another one, or a resource taken away."""

    area: str
    what: str
    rule: str
    """The rule that has to speak."""
    template: str = "prod"
    resource: str = ""
    replace: str = ""
    """Text that the resource has once; empty: the whole resource goes, with what its name in DependsOn."""
    by: str = ""
    also: tuple[tuple[str, str], ...] = ()
    """Other rules that speak, each with why the fault concerns it, too."""

    @property
    def rules(self) -> set[str]:
        """Every rule that speaks."""
        return {self.rule, *(rule for rule, _ in self.also)}

    def text(self) -> str:
        """The template with the fault. Raises ValueError where the edit has no one place."""
        return edited(clean(self.template), self.resource, self.replace, self.by)


@functools.cache
def faults() -> tuple[Fault, ...]:
    """All of faults.yaml, in its order."""
    areas = yaml.safe_load(_FAULTS.read_text("utf-8"))
    return tuple(
        Fault(area, **{**fault, "also": tuple(fault.get("also", {}).items())})
        for area, listed in areas.items()
        for fault in listed
    )


def edited(text: str, resource: str, replace: str, by: str) -> str:
    """The template with one text of one resource replaced; without `replace`, without the resource.

    Raises ValueError unless the resource has the text exactly once.
    """
    block = re.search(rf"^  {resource}:\n(?:    .*\n|\n(?=    ))*", text, re.MULTILINE)
    if not block:
        raise ValueError(f"no resource {resource}")
    if not replace:
        rest = text[: block.start()] + text[block.end() :]
        return re.sub(rf"(DependsOn: \[.*?)\b{resource}(?:, |(?=\]))", r"\1", rest)
    if block[0].count(replace) != 1:
        raise ValueError(f"{resource} has {block[0].count(replace)} times: {replace}")
    return text[: block.start()] + block[0].replace(replace, by) + text[block.end() :]


@functools.cache
def clean(template: str) -> str:
    """The text of a template without a fault: of an environment of the project, or of a variant."""
    if template in ENVIRONMENTS:
        return (PROJECT / "rendered" / template / "template.yaml").read_text("utf-8")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_project(root, {template: VARIANTS[template]})
        (outcome,) = load.load_all(root)
        if outcome.environment is None:
            raise ValueError("\n".join(map(str, outcome.problems)))
        return hand_over(outcome.environment, root, _engine()).template


@functools.cache
def _engine() -> Engine:
    return Engine(PROJECT / "templates")


def judged(text: str) -> list[Finding]:
    """What all rules say about a template, those that only inform included."""
    return pack.run(View(parse(text), region=REGION))


@functools.cache
def found(fault: Fault) -> tuple[Finding, ...]:
    """What is said about the fault: the findings that the clean template doesn't have, by place."""
    known = Counter((one.rule, one.message) for one in _of_clean(fault.template))
    fresh = []
    for one in sorted(judged(fault.text()), key=lambda one: one.order):
        if known[one.rule, one.message]:
            known[one.rule, one.message] -= 1
        else:
            fresh.append(one)
    return tuple(fresh)


@functools.cache
def _of_clean(template: str) -> tuple[Finding, ...]:
    return tuple(judged(clean(template)))


_INTRODUCTION = """# Single faults, and who catches them

{count} edits of templates that this project renders, each with the rule that has to speak. No other rule speaks
but those named behind "also", each with why the fault concerns it, too. Tested in
`tests/linting/mutations/`; written by `python -m tests.linting.mutations`.
"""


def page() -> str:
    """docs/mutations.md: every fault, its rule, and what the user is told."""
    parts = [_INTRODUCTION.format(count=len(faults()))]
    for area in dict.fromkeys(fault.area for fault in faults()):
        rows = "".join(_row(fault) for fault in faults() if fault.area == area)
        title = area[0].upper() + area[1:]
        parts.append(f"\n## {title}\n\n| fault | rule | what the user is told |\n|---|---|---|\n{rows}")
    return "".join(parts)


def _row(fault: Fault) -> str:
    said = next((one.message for one in found(fault) if one.rule == fault.rule), "")
    also = "".join(f"<br>also {_link(rule)}: {why}" for rule, why in fault.also)
    return f"| {fault.what} | {_link(fault.rule)} | {_cell(said)}{also} |\n"


def _link(rule: str) -> str:
    return f"[{rule}](rules/{rule}.md)"


def _cell(text: str) -> str:
    for sign in "|*$":
        text = text.replace(sign, "\\" + sign)
    return text.replace("<", "&lt;").replace("\n", " ")
