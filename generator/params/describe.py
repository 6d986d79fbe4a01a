"""What the model says about its keys, as values: for error messages, `explain`, the schema and the reference page."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from generator.params.model import Section, Settings


@dataclass(frozen=True)
class Key:
    """One key of the model."""

    path: str
    """Dotted, with `NAME` for the free keys of a mapping."""
    description: str
    unit: str
    type: str
    """For people: `whole number`, `list of networks`, `one of a, b`, …"""
    default: str
    """As YAML shows it; empty for a required key, `unset` where there is none."""
    required: bool
    section: bool
    """Whether it holds keys of its own."""


def section_of(annotation: Any) -> type[Section] | None:
    """The Section class an annotation holds (`X`, `X | None`, a list of X), or None."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in typing.get_args(annotation):
        if argument is not type(None) and (found := section_of(argument)):
            return found
    return None


def field_at(path: tuple[str | int, ...]) -> FieldInfo | None:
    """The field a path ends at; None where the model has no such key or the path ends in free keys."""
    section: type[Section] | None = Settings
    field = None
    for step in path:
        if isinstance(step, int):
            continue
        if section is None or step not in section.model_fields:
            return None
        field = section.model_fields[step]
        section = section_of(field.annotation)
    return field


def names_at(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that may stand in the mapping at a path; empty where any may, or none."""
    if not path:
        return tuple(Settings.model_fields)
    field = field_at(path)
    section = section_of(field.annotation) if field else None
    return tuple(section.model_fields) if section else ()


@lru_cache(maxsize=1)
def schema() -> dict:
    """The model's JSON schema as pydantic makes it, references resolved inside `$defs`."""
    return Settings.model_json_schema()


def _resolve(node: dict) -> dict:
    while "$ref" in node:
        node = schema()["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def _alternatives(node: dict) -> list[dict]:
    node = _resolve(node)
    return [one for one in map(_resolve, node.get("anyOf", [node])) if one.get("type") != "null"]


def schema_at(path: tuple[str | int, ...]) -> dict:
    """The part of the JSON schema that a path leads to; `{}` where the model knows no such key."""
    node = _resolve(schema())
    for step in path:
        node = _alternatives(node)[0]
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(step) or node.get("additionalProperties") or {}
        if not isinstance(node, dict):
            return {}
    return node


def example_at(path: tuple[str | int, ...]) -> str:
    """An example of a value as it stands in YAML; empty where the model gives none."""
    for node in _alternatives(schema_at(path)):
        if node.get("examples"):
            return str(node["examples"][0])
        if node.get("enum"):
            return str(node["enum"][0])
        if node.get("type") == "integer":
            return str(node.get("minimum", 1))
        if node.get("type") == "boolean":
            return "true"
    return ""


def _type_of(node: dict) -> str:
    node = _alternatives(node)[0]
    if "enum" in node:
        return "one of " + ", ".join(map(str, node["enum"]))
    if "const" in node:
        return str(node["const"])
    kind = node.get("type", "")
    if kind == "array":
        return f"list of {_type_of(node['items'])}"
    if kind == "object" and "properties" not in node:
        values = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
        inner = next((one for one in values if isinstance(one, dict)), {})
        return f"mapping of names to {_type_of(inner) or 'text'}"
    if kind == "object":
        return "section"
    if kind == "integer":
        low, high = node.get("minimum"), node.get("maximum")
        bounds = f" from {low} to {high}" if low is not None and high is not None else (
            f" from {low}" if low is not None else "")
        return f"whole number{bounds}"
    if kind == "boolean":
        return "true or false"
    example = f", such as {node['examples'][0]}" if node.get("examples") else ""
    return f"text{example}"


def shown(value: Any) -> str:
    """A value as YAML would show it on one line."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {shown(item)}" for name, item in value.items()) + "}"
    return str(value)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.default if field.default is not PydanticUndefined else field.default_factory()
    return shown(value)


def keys(section: type[Section] = Settings, prefix: str = "") -> Iterator[Key]:
    """Every key of the model in reading order, sections before what they hold."""
    for name, field in section.model_fields.items():
        path = f"{prefix}{name}"
        inner = section_of(field.annotation)
        node = schema_at(tuple(part for part in path.replace("[]", "").split(".")))
        if inner and _alternatives(node)[0].get("type") == "array":
            node_type = "list of sections"
        else:
            node_type = _type_of(node)
        unit = (field.json_schema_extra or {}).get("unit", "") if isinstance(field.json_schema_extra, dict) else ""
        yield Key(path, field.description or "", unit, node_type, "" if inner and not _optional(field) else
                  _default(field), field.is_required(), inner is not None)
        if inner:
            suffix = "[]" if node_type == "list of sections" else ""
            yield from keys(inner, f"{path}{suffix}.")


def _optional(field: FieldInfo) -> bool:
    return type(None) in typing.get_args(field.annotation) or isinstance(field.annotation, types.UnionType)
