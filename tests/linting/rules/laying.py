"""A good Keycloak template, and how the examples on the rules' pages change it."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

from generator.document import Document, parse
from generator.linting.view import View

TEXT = (Path(__file__).parent / "good_keycloak.yaml").read_text("utf-8")

REGION = "eu-central-1"

_NAMES = ("Name", "Key", "Field")


@functools.cache
def good() -> dict[str, Any]:
    """The good template as data; not to be changed."""
    return parse(TEXT).data


def laid(example: str) -> dict[str, Any]:
    """The good template with an example, an excerpt of Resources, laid over it.

    Mappings are merged, and so are lists whose items have names (a container, a variable, an attribute, a
    condition); any other value takes the place of the one that was there, and `~` takes it away: the
    resource, the property, and the item that has nothing but its name then.
    """
    template = copy.deepcopy(good())
    # The example is no template, but reads as the inside of one.
    indented = "".join(f"  {line}" for line in example.splitlines(keepends=True))
    change = parse(f"Resources:\n{indented}").data["Resources"]
    template["Resources"] = _merged(template["Resources"], change)
    return template


def viewed(template: dict[str, Any], version: str = "") -> View:
    """The template as rules see it."""
    return View(parse(json.dumps(template, indent=1)), region=REGION, keycloak_version=version)


def document(template: dict[str, Any]) -> Document:
    """The template as a document without places, which is quicker to make."""
    return Document("", "", template, {})


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict) and not _function(new) and not _function(old):
        found = {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
        return {key: value for key, value in found.items() if value is not None}
    if isinstance(old, list) and isinstance(new, list) and (name := _common_name(old, new)):
        found = {item[name]: item for item in old}
        for item in new:
            found[item[name]] = _merged(found.get(item[name], {}), item)
        return [item for item in found.values() if len(item) > 1]
    return new


def _common_name(old: list[Any], new: list[Any]) -> str:
    """The key by which all items of two lists are called; empty where there is none."""
    items = [*old, *new]
    for name in _NAMES:
        if items and all(isinstance(item, dict) and isinstance(item.get(name), str) for item in items):
            return name
    return ""


def _function(value: dict[str, Any]) -> bool:
    return len(value) == 1 and (next(iter(value)) == "Ref" or next(iter(value)).startswith("Fn::"))
