"""What a key means and, in an environment, where its value comes from."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from generator.errors import ProjectError
from generator.params import describe
from generator.params.describe import Key
from generator.params.load import Environment
from generator.params.tree import KeyPath, Setting


@dataclass(frozen=True)
class Explanation:
    """A key, and its value in one environment where one was asked for."""

    key: Key
    environment: str
    value: str
    """As YAML shows it; empty without an environment."""
    chain: tuple[Setting, ...]
    """Who set it, oldest first; empty where the default holds."""
    children: tuple[Key, ...]
    """Keys directly below, for a section."""


def find(path: str) -> Key:
    """The key named by a dotted path; list indexes (`.0`, `[0]`, `[]`) and free names are left out of account.

    Raises ProjectError naming the nearest keys for a path the model doesn't know.
    """
    wanted = tuple(step for step in _steps(path) if not step.isdigit())
    every = {key.path.replace("[]", ""): key for key in describe.keys()}
    for length in range(len(wanted), 0, -1):
        name = ".".join(wanted[:length])
        if name in every and (length == len(wanted) or "mapping" in every[name].type):
            return every[name]
    near = difflib.get_close_matches(path.lower(), every, 3, 0.6)
    ends = [name for name in every if name.split(".")[-1] == wanted[-1]] if wanted else []
    names = list(dict.fromkeys([*ends[:3], *near]))[:3]
    hint = f"did you mean {' or '.join(names)}?" if names else "`cloakform explain` lists all keys"
    raise ProjectError(f"there is no key `{path}` ({hint})")


def explain(path: str, environment: Environment | None) -> Explanation:
    """The meaning of a key and, in `environment`, its value with the chain of files that set it."""
    key = find(path)
    depth = key.path.count(".") + 1
    children = tuple(child for child in describe.keys()
                     if child.path.replace("[]", "").startswith(key.path.replace("[]", "") + ".")
                     and child.path.count(".") == depth)
    if environment is None:
        return Explanation(key, "", "", (), children)
    place, value = _walk(environment.settings, _steps(path))
    if hasattr(value, "model_dump"):
        value = value.model_dump(exclude_defaults=True)
    elif isinstance(value, list) and value and hasattr(value[0], "model_dump"):
        value = [item.model_dump() for item in value]
    return Explanation(key, environment.name, describe.shown(value), environment.tree.chain(place), children)


def _steps(path: str) -> list[str]:
    return re.sub(r"\[(\d*)\]", r".\1", path).replace("..", ".").strip(".").split(".")


def _walk(value: Any, steps: list[str]) -> tuple[KeyPath, Any]:
    """(path in the tree, value) below settings; the value is None where nothing is set."""
    place: list[str | int] = []
    for number, step in enumerate(steps):
        if isinstance(value, dict):  # free names, which may hold dots
            name = ".".join(steps[number:])
            return (*place, name), value.get(name)
        if isinstance(value, list):
            index = int(step) if step.isdigit() else len(value)
            place.append(index)
            value = value[index] if index < len(value) else None
        else:
            place.append(step)
            value = getattr(value, step, None)
    return tuple(place), value
