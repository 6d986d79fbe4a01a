"""How checks read values that may be anything."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from generator.document import Document, Resource


def integer(value: Any) -> int | None:
    """A whole number, also one in quotes, as CloudFormation takes both; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", value):
        return int(value)
    return int(value) if isinstance(value, int) or isinstance(value, float) and value.is_integer() else None


def flag(value: Any) -> bool | None:
    """True or False, also in quotes; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def text(value: Any) -> str | None:
    """Text that is known before the deployment: no intrinsic function, no dynamic reference."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and "{{resolve:" not in value else None


def is_function(value: Any) -> bool:
    """Whether a value is an intrinsic function: what it gives is known to AWS alone."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    name = str(next(iter(value)))
    return name == "Ref" or name.startswith("Fn::")


def is_given(value: Any) -> bool:
    """Whether there is a value, whatever AWS works out: an `!If` can come to
    nothing, `AWS::NoValue` is nothing.
    """
    no_value = isinstance(value, dict) and ("Fn::If" in value or value.get("Ref") == "AWS::NoValue")
    return value is not None and not no_value


def mapping(value: Any, *keys: str) -> dict[str, Any]:
    """The mapping found by following `keys`; an empty one where there is none or a
    function stands in between.
    """
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) and not is_function(value) else {}


def items(value: Any, key: str) -> list[tuple[int, dict[str, Any]]]:
    """(position, item) of the mappings in the list `value[key]`; functions among them are none."""
    found = value.get(key) if isinstance(value, dict) else None
    listed = enumerate(found if isinstance(found, list) else [])
    return [(i, item) for i, item in listed if isinstance(item, dict) and not is_function(item)]


def strings(value: Any, key: str) -> list[tuple[int, str]]:
    """(position, text) of the known texts in the list `value[key]`; a single text counts as a list of one."""
    found = value.get(key) if isinstance(value, dict) else None
    listed = found if isinstance(found, list) else [found]
    return [(i, known) for i, item in enumerate(listed) if (known := text(item)) is not None]


def target(document: Document, value: Any, *types: str) -> Resource | None:
    """The resource of one of `types` that a Ref or Fn::GetAtt names; None where it is
    none of this template's.
    """
    if not isinstance(value, dict) or len(value) != 1:
        return None
    function, argument = next(iter(value.items()))
    if function == "Fn::GetAtt" and isinstance(argument, list) and argument:
        argument = argument[0]
    elif function != "Ref":
        return None
    resource = document.resources.get(argument) if isinstance(argument, str) else None
    return resource if resource is not None and resource.type in types else None


def same(value: Any) -> str:
    """A key under which equal values, whatever they are, come together."""
    return repr(value)


def nearest(name: str, known: Iterable[str]) -> str:
    """`write x`, x being the known name that looks most like `name`; empty where none does."""
    near = difflib.get_close_matches(name, sorted(known), 1, 0.6)
    return f"write {near[0]}" if near else ""
