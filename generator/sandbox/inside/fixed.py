"""What CloudFormation's types have and which changes make a resource anew, where ministack has no table of
it: from the resource schemas that cfn-lint brings along. FIXED_SCHEMAS says where these lie."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

from ministack.services.cloudformation import provisioners, stacks

_told = provisioners._property_recreation


def install() -> None:
    """Change sets and updates know of every type."""
    provisioners._property_recreation = stacks._property_recreation = recreation


def recreation(kind: str, name: str) -> str:
    """`Always`, `Conditionally` or `Never`, for a property of a resource type."""
    if kind in provisioners._REPLACING_PROPERTIES:
        return _told(kind, name)
    found = _fixed(kind)
    return _told(kind, name) if found is None else found.get(name, "Never")


def attributes(kind: str) -> tuple[str, ...]:
    """What Fn::GetAtt may ask of a type: `Arn`, `Endpoint.Address`."""
    return tuple(
        one.removeprefix("/properties/").replace("/", ".")
        for one in _schema(kind).get("readOnlyProperties", ())
    )


@cache
def types(region: str) -> dict[str, str]:
    """Every resource type of a region, with the name of its schema."""
    for one in (region, "us-east-1"):
        file = _folder() / "providers" / f"{one}.json"
        if file.is_file():
            return json.loads(file.read_bytes())
    return {}


@cache
def _fixed(kind: str) -> dict[str, str] | None:
    found = {}
    for key, word in (
        ("conditionalCreateOnlyProperties", "Conditionally"),
        ("createOnlyProperties", "Always"),
    ):
        for pointer in _schema(kind).get(key, ()):
            first, *rest = pointer.removeprefix("/properties/").split("/")
            # Of a property within another one this table doesn't say which of them changed.
            found[first] = "Conditionally" if rest else word
    return found if _schema(kind) else None


@cache
def _schema(kind: str) -> dict:
    name = types(os.environ["MINISTACK_REGION"]).get(kind)
    return json.loads((_folder() / "resources" / f"{name}.json").read_bytes()) if name else {}


def _folder() -> Path:
    return Path(os.environ.get("FIXED_SCHEMAS", os.devnull))
