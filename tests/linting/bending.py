"""A good template, and how to bend it by one mistake."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from generator.document import parse

GOOD_TEXT = (Path(__file__).parent / "good_template.yaml").read_text("utf-8")
GOOD = parse(GOOD_TEXT).data

GONE = object()
"""As a change: the value isn't there any more."""

REGION = "eu-central-1"


def bent(changes: dict[str, Any]) -> dict[str, Any]:
    """The good template with `changes`: path to value.

    `Service.Cluster` is a property, `Service@DependsOn` an attribute of a resource, `Twin` a resource: a mapping is
    written as it is, a text names the resource to copy. A list position behind the last item adds one. Properties
    of a copy can be changed behind it.
    """
    template = copy.deepcopy(GOOD)
    for where, value in changes.items():
        if "." not in where and "@" not in where:
            template["Resources"][where] = copy.deepcopy(GOOD["Resources"][value] if isinstance(value, str) else value)
            continue
        logical_id, _, rest = where.replace("@", ".@").partition(".")
        resource = template["Resources"][logical_id]
        if rest.startswith("@"):
            holder, steps = resource, [rest[1:]]
        else:
            holder, steps = resource.setdefault("Properties", {}), rest.split(".")
        for step in steps[:-1]:
            holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
        last = int(steps[-1]) if isinstance(holder, list) else steps[-1]
        if value is GONE:
            del holder[last]
        elif isinstance(holder, list) and last == len(holder):
            holder.append(value)
        else:
            holder[last] = value
    return template


def written(template: dict[str, Any]) -> str:
    """The template as text."""
    return json.dumps(template, indent=1)


def needed_for(template: dict[str, Any], logical_ids: set[str]) -> dict[str, Any]:
    """The template with nothing but these resources and what they refer to: the smaller, the faster to lint."""
    document = parse(written(template))
    kept = logical_ids.union(*(document.waits_for(one) for one in logical_ids))
    resources = {one: body for one, body in template["Resources"].items() if one in kept}
    return {**template, "Resources": resources}
