"""Secrets out of foreign files, before anything else sees them: what is masked here can't be printed or
copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from generator.document import Path
from generator.keycloak.catalog import masked as keycloak_masks
from generator.params.secrets import named, parts

MASK = "********"

_PROBE = "q7Zk2mXw9RtY4bNc"
"""Something that is a secret wherever a name says so."""
_NAMED = ("Name", "name", "Key", "key", "ParameterKey")
_VALUES = ("Value", "value", "ParameterValue")
_ADDRESSES = ("Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::FindInMap", "Condition")

_FLAG = re.compile(r"--([\w.-]+)")
_RUN = ("command", "entrypoint")
_OPTION = re.compile(r"--[A-Za-z]|-D[A-Za-z]|-[vVh]$|-cf\b")
"""What is no value, although an option stands before it."""


@dataclass(frozen=True)
class Secret:
    """A place where a secret stands in plain text; never the secret."""

    path: Path
    what: str


def masked(data: dict[str, Any]) -> tuple[dict[str, Any], list[Secret]]:
    """The same data with `********` in the place of every secret, and where they were.

    A secret is known by the name it has (a variable, a property, a parameter, the option of a command line)
    or by its shape. Addresses of secrets, dynamic references and intrinsic functions stay.
    """
    secrets: list[Secret] = []
    pointed = set(_pointed_at(data, ""))
    return _Masking(secrets, pointed).value(data, (), ""), secrets


class _Masking:
    def __init__(self, secrets: list[Secret], pointed: set[tuple[str, ...]]):
        self._secrets = secrets
        self._pointed = pointed

    def value(self, value: Any, path: Path, name: str) -> Any:
        if isinstance(value, dict):
            return {
                key: self.value(inner, (*path, key), _name(value, key, name, self._secret_by_use(path, key)))
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._item(value, index, path, name) for index in range(len(value))]
        if isinstance(value, bool) or value is None:
            return value
        return self._scalar(value, path, name)

    def _item(self, items: list[Any], index: int, path: Path, name: str) -> Any:
        if path[-1:] == ("Fn::If",) and index == 0:
            return items[index]
        before = items[index - 1] if index else ""
        flag = _FLAG.fullmatch(before) if isinstance(before, str) else None
        if flag and _is_secret(_variable(flag[1]), _PROBE) and not _OPTION.match(str(items[index])):
            name = "KC_DB_PASSWORD"
        return self.value(items[index], (*path, index), name)

    def _secret_by_use(self, path: Path, key: Any) -> bool:
        """Whether a parameter's default or a mapping's value is used where a secret belongs."""
        if path[:1] == ("Parameters",) and len(path) == 2:
            return key == "Default" and ("parameter", path[1]) in self._pointed
        return path[:1] == ("Mappings",) and len(path) == 3 and ("mapping", path[1], key) in self._pointed

    def _scalar(self, value: Any, path: Path, name: str) -> Any:
        text = str(value)
        # A dynamic reference says where a secret is.
        if name and "{{resolve:" not in text and _is_secret(name, text):
            self._secrets.append(Secret(path, "a secret"))
            return MASK
        if not isinstance(value, str):
            return value
        return self._cleaned(text, path)

    def _cleaned(self, text: str, path: Path) -> str:
        """A text with a mask in the place of each secret in it, so that the rest can be read."""
        # Words without a space are given to Keycloak as they are, lines to a shell.
        shell = any(str(step).lower() in _RUN for step in path) and any(char.isspace() for char in text)
        found = parts(text, shell=shell)
        for part in reversed(found):
            text = text[: part.start] + MASK + text[part.end :]
        for what in dict.fromkeys(part.what for part in found):
            self._secrets.append(Secret(path, what))
        return text


def _variable(option: str) -> str:
    """The variable that says the same as an option of the command line."""
    return "KC_" + option.upper().replace("-", "_").replace(".", "_")


def _is_secret(name: str, text: str) -> bool:
    if named(name, text, keycloak_masks):
        return True
    # A short number is a bad password, but one.
    return text.isdigit() and not name.upper().endswith("_KEY") and named(name, _PROBE, keycloak_masks)


def _name(holder: dict[str, Any], key: Any, name: str, by_use: bool) -> str:
    """The name under which a value of a mapping stands; empty where it says nothing."""
    if by_use or key == "SecretString":
        return "PASSWORD"
    if not isinstance(key, str) or key in _ADDRESSES or key in ("ValueFrom", "valueFrom"):
        return ""
    if key.startswith("Fn::"):
        return name
    if key in _VALUES:
        named = next((holder[one] for one in _NAMED if isinstance(holder.get(one), str)), "")
        return named
    if key == "Default" and "Type" in holder:
        if str(holder["Type"]).startswith("AWS::SSM::"):
            return ""
        return "PASSWORD" if str(holder.get("NoEcho", "")).lower() == "true" else ""
    return "" if key in _NAMED else key


def _pointed_at(value: Any, name: str) -> Iterator[tuple[str, ...]]:
    """Parameters and mappings that are used under the name of a secret."""
    if isinstance(value, list):
        for one in value:
            yield from _pointed_at(one, name)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in ("Ref", "Fn::FindInMap") and name and _is_secret(name, _PROBE):
                if key == "Ref" and isinstance(inner, str):
                    yield ("parameter", inner)
                elif (
                    isinstance(inner, list)
                    and len(inner) == 3
                    and all(isinstance(inner[i], str) for i in (0, 2))
                ):
                    yield ("mapping", inner[0], inner[2])
            yield from _pointed_at(inner, _name(value, key, name, False))
