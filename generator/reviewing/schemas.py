"""Which properties CloudFormation can't change in place, from the resource schemas that cfn-lint brings
along.

The schema files are read where they lie: importing cfn-lint takes longer than a whole review. Where a release
of cfn-lint keeps them elsewhere, cfn-lint is imported and asked.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Fixed:
    """What of a resource type is fixed when the resource is made; each as `("DnsConfig", "NamespaceId")`."""

    create_only: frozenset[tuple[str, ...]]
    conditional: frozenset[tuple[str, ...]]
    """Whether changing it makes the resource anew depends on more than the template."""


@lru_cache(maxsize=None)
def fixed(type_: str, region: str) -> Fixed | None:
    """What is fixed of a resource type in a region; None for a type that no schema is known of."""
    schema = _schema(type_, region or _DEFAULT_REGION)
    if not isinstance(schema, dict):
        return None
    return Fixed(
        *(
            frozenset(_paths(schema.get(f"{name}Properties")))
            for name in ("createOnly", "conditionalCreateOnly")
        )
    )


@lru_cache(maxsize=None)
def stateful() -> frozenset[str]:
    """Resource types that cfn-lint counts as holding state."""
    found = _read("AdditionalSpecs/StatefulResources.json")
    types = found.get("ResourceTypes") if isinstance(found, dict) else None
    return frozenset(types) if isinstance(types, dict) else frozenset()


def _paths(pointers: Any) -> list[tuple[str, ...]]:
    found = []
    for pointer in pointers if isinstance(pointers, list) else ():
        steps = [step for step in str(pointer).split("/") if step not in ("", "properties", "*")]
        if steps:
            found.append(tuple(steps))
    return found


def _schema(type_: str, region: str) -> Any:
    known = _providers(region)
    if known is None:
        return _asked(type_, region)
    name = known.get(type_)
    return _read(f"schemas/resources/{name}.json") if name else None


@lru_cache(maxsize=None)
def _providers(region: str) -> dict[str, str] | None:
    """Type -> name of its schema file; None where the files aren't where they are known to be."""
    for one in dict.fromkeys((region, _DEFAULT_REGION)):
        found = _read(f"schemas/providers/{one}.json")
        if isinstance(found, dict) and found:
            return found
    return None


def _read(name: str) -> Any:
    folder = _folder()
    try:
        return json.loads((folder / name).read_bytes()) if folder else None
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=None)
def _folder() -> Path | None:
    spec = importlib.util.find_spec("cfnlint")
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / "data" if places else None


def _asked(type_: str, region: str) -> Any:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    try:
        return PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, type_).schema
    except (
        Exception
    ):  # a type it doesn't know, a region it doesn't have: its exceptions aren't part of its API
        return None
