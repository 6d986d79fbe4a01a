"""A good template, how to bend it by one mistake, and the cases that do."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from generator.document import parse

_HERE = Path(__file__).parent

GOOD_TEXT = (_HERE / "good_template.yaml").read_text("utf-8")
GOOD = parse(GOOD_TEXT).data

REGION = "eu-central-1"


class Case(NamedTuple):
    """A change of the good template that a check objects to, at a place and in words, or leaves alone."""

    check: str
    what: str
    change: dict[str, Any]
    at: str = ""
    says: str = ""


def cases(kind: str) -> list[Case]:
    """The `bad` or the `good` cases of check_cases.yaml."""
    text = (_HERE / "check_cases.yaml").read_text("utf-8")
    groups = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [
        Case(check, **{**case, "change": _repeated(case["change"])})
        for check, group in groups.items()
        for case in group.get(kind, ())
    ]


def _repeated(value: Any) -> Any:
    """`value` with every `a×128` in it written out."""
    if isinstance(value, str):
        return re.sub(r"(.)×(\d+)", lambda match: match[1] * int(match[2]), value)
    if isinstance(value, dict):
        return {key: _repeated(inner) for key, inner in value.items()}
    return [_repeated(inner) for inner in value] if isinstance(value, list) else value


def bent(change: dict[str, Any]) -> dict[str, Any]:
    """The good template with `change`: place to value, None to take the value away.

    `Service.Cluster` is a property, `Service@DependsOn` an attribute of a resource. `Twin` is a resource: a
    mapping is its body, a text names the resource to copy, whose properties can be changed behind it. A list
    position behind the last item adds one.
    """
    template = copy.deepcopy(GOOD)
    for place, value in change.items():
        logical_id, attribute, rest = re.match(r"(\w+)([.@]?)(.*)", place).groups()
        if not attribute:
            body = GOOD["Resources"][value] if isinstance(value, str) else value
            template["Resources"][logical_id] = copy.deepcopy(body)
            continue
        holder = template["Resources"][logical_id]
        if attribute == ".":
            holder = holder.setdefault("Properties", {})
        *steps, last = rest.split(".")
        for step in steps:
            holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
        if value is None:
            del holder[last]
        elif not isinstance(holder, list):
            holder[last] = value
        else:
            holder[int(last) : int(last) + 1] = [value]
    return template


def path_of(place: str) -> tuple[Any, ...]:
    """The path in a document of a place written as in a change."""
    logical_id, _, rest = place.partition(".")
    steps = [int(step) if step.isdigit() else step for step in rest.split(".") if step]
    return ("Resources", logical_id, *(("Properties", *steps) if "." in place else ())) if place else ()


def written(template: dict[str, Any]) -> str:
    """The template as text."""
    return json.dumps(template, indent=1)


def needed_for(template: dict[str, Any], logical_ids: set[str]) -> dict[str, Any]:
    """The template with these resources and what they refer to alone: the smaller, the faster to lint."""
    document = parse(written(template))
    kept = logical_ids.union(*(document.waits_for(one) for one in logical_ids))
    resources = {one: body for one, body in template["Resources"].items() if one in kept}
    return {**template, "Resources": resources}
