"""What the model objects to, in words for whoever wrote the file: pydantic's errors as (message, fix)."""

from __future__ import annotations

import difflib
from typing import Any

from generator.params import describe
from generator.params.tree import KeyPath


_EXPECTED = {
    "list_type": ("a list", "write it as [one, two], or one item per line after `- `"),
    "dict_type": ("a mapping of names to values", "write `name: value` lines below it"),
    "model_type": ("a section", "write its keys below it, or {} for all defaults"),
}


def worded(path: KeyPath, detail: dict) -> tuple[str, str]:
    """(message, fix) of an error of the model's; `detail` is one of ValidationError.errors() and `path` its place."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "cloakform":
        message = context["message"]
        if path[:2] == ("keycloak", "secret_options") or path[-1] == "secret":
            # Whoever writes no ARN here may well have written the secret itself.
            message = message.removeprefix(f"{str(detail.get('input'))!r} ")
        return message, context["fix"]
    if kind == "missing":
        example = describe.example_at(path)
        field = describe.field_at(path)
        meaning = f" ({field.description.rstrip('.')})" if field and field.description else ""
        return "is missing" + meaning, f"add `{path[-1]}: {example}`" if example else f"add `{path[-1]}`"
    if kind == "extra_forbidden":
        return "is no key here", _nearest_key(path)
    value = detail.get("input")
    if kind == "literal_error":
        schema = describe.schema_at(path)
        choices = [str(one) for one in schema.get("enum", [])] or [str(schema.get("const", ""))]
        known = ", ".join(choices)
        near = difflib.get_close_matches(str(value), choices, 1)
        return f"{_shown(value)} is not one of {known}", f"write {near[0] if near else f'one of {known}'}"
    if kind == "greater_than_equal":
        return f"{value} is less than {context['ge']}", f"write {context['ge']} or more"
    if kind == "less_than_equal":
        return f"{value} is more than {context['le']}", f"write {context['le']} or less"
    if kind == "too_short":
        return f"has {context['actual_length']} items", f"list at least {context['min_length']}"
    if kind == "too_long":
        return f"has {context['actual_length']} items", f"list at most {context['max_length']}"
    if kind == "string_too_short":
        return f"is shorter than {context['min_length']} characters", "write another"
    if kind == "string_too_long":
        return f"is longer than {context['max_length']} characters", "write another"
    if kind in _EXPECTED:
        what, fix = _EXPECTED[kind]
        return f"expected {what}, found {_shown(value)}", fix
    return str(detail["msg"]), "see `cloakform explain`"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(str(value))


def meant_key(path: KeyPath) -> str:
    """The key beside an unknown one that was probably meant; empty where none is near."""
    near = difflib.get_close_matches(str(path[-1]), describe.names_at(path[:-1]), 1, 0.6)
    return near[0] if near else ""


def _nearest_key(path: KeyPath) -> str:
    """What to write instead of an unknown key: the nearest one beside it, or the same name elsewhere."""
    if meant := meant_key(path):
        return f"did you mean `{meant}`?"
    here = describe.names_at(path[:-1])
    name = str(path[-1])
    every = [key.path for key in describe.keys()]
    elsewhere = [key for key in every if key.rsplit(".", 1)[-1].strip("[]") == name]
    if not elsewhere:
        last = {key.rsplit(".", 1)[-1]: key for key in every}
        close = difflib.get_close_matches(name, last, 1, 0.75)
        elsewhere = [last[close[0]]] if close else []
    if elsewhere:
        return f"did you mean {' or '.join(f'`{key}`' for key in elsewhere[:3])}?"
    return f"known here: {', '.join(here)}" if here else "take it out"
