"""`params/schema.json`: the model as editors want it, for files that hold a part of an environment only."""

from __future__ import annotations

import json
import re
from typing import Any

from generator.params import describe

HEADER = "Made from generator/params/model.py by `cloakform schema`. Do not edit."


def schema_text() -> str:
    """The schema as it stands in `params/schema.json`, ending in one line break."""
    made = _relaxed(describe.schema())
    made["properties"] = {
        "extends": {"type": "string", "description": "A params file that this one adds to: `base.yaml`."},
        "abstract": {"type": "boolean", "description": "true: only there to be extended, no environment itself."},
        **made["properties"],
    }
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": HEADER,
            "title": "An environment of Keycloak on ECS Fargate", **{
                name: value for name, value in made.items() if name not in ("title", "$schema")}}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _relaxed(node: Any) -> Any:
    """A part of the schema without `required` (a file may leave it to its base), with null for "the default" and
    with the two forms of a list over an inherited one; `default` goes, since editors would write it into files."""
    if isinstance(node, list):
        return [_relaxed(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _relaxed(value) for name, value in node.items() if name not in ("required", "default", "title")}
    if "properties" in made:
        made["properties"] = {name: _nullable(value) for name, value in made["properties"].items()}
    if "patternProperties" in made:
        # pydantic says what the value of a good name is, not that there is no other name.
        made["additionalProperties"] = False
        made["patternProperties"] = {name: _nullable(value) for name, value in made["patternProperties"].items()}
    if made.get("type") == "string":
        # Without quotes an editor sees a number or a boolean; the loader takes what is written.
        seen = {"number": "42", "boolean": "true"}
        kinds = [kind for kind, text in seen.items() if re.search(made.get("pattern", ""), text)]
        made["type"] = ["string", *kinds] if kinds and "enum" not in made and "const" not in made else "string"
    if made.get("type") == "array":
        items = made
        form = {"type": "object", "additionalProperties": False, "minProperties": 1, "maxProperties": 1,
                "properties": {"replace": items, "append": {**items, "minItems": 0}}}
        made = {"anyOf": [items, form]}
        for name in ("description", "unit"):
            if name in items:
                made[name] = items[name]
    return made


def _nullable(node: dict) -> dict:
    kept = {name: node[name] for name in ("description", "unit") if name in node}
    inner = {name: value for name, value in node.items() if name not in kept}
    branches = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    if {"type": "null"} not in branches:
        branches = [*branches, {"type": "null"}]
    return {**kept, "anyOf": branches}
