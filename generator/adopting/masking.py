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
from generator.params.secrets import secret_in

MASK = "********"

_PROBE = "q7Zk2mXw9RtY4bNc"
"""Something that is a secret wherever a name says so."""
_NO_SECRET = re.compile(r"|true|false|arn:aws[a-z-]*:\S+|\$\{[^}]*\}", re.IGNORECASE)
_NAMED = ("Name", "name", "Key", "key", "ParameterKey")
_VALUES = ("Value", "value", "ParameterValue")
_ADDRESSES = ("Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::FindInMap", "Condition")

_PARTS = tuple(
    re.compile(part, re.IGNORECASE)
    for part in (
        r"([?&;](?:password|passwd|pwd|\w*storepassword|sslpassword)=)(?!\$\{)[^&;\s]+",
        r"(://[^/\s:@?#]*:)(?!\$\{)[^/\s@?#]+(?=@)",
        r"((?<![\w-])-D[\w.-]*(?:password|passphrase|secret|token|api[_.-]?key)=)(?!\$\{)\S+",
        r"(--[\w.-]*(?:password|passphrase|secret|token)(?:=|\s+))(?!\$\{|-)[^\s\"']+",
        r"((?<![\w$])(?:KC|KCRAW|KEYCLOAK|DB|POSTGRES)_\w*(?:PASSWORD|SECRET|TOKEN)=)(?!\$)[^\s;&]+",
    )
)
"""Where a secret is a part of a text: what stays, then the secret."""
_FLAG = re.compile(r"--[\w.-]*(password|passphrase|secret|token)", re.IGNORECASE)


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
        if isinstance(before, str) and _FLAG.fullmatch(before) and not str(items[index]).startswith("-"):
            name = "KC_DB_PASSWORD"
        return self.value(items[index], (*path, index), name)

    def _secret_by_use(self, path: Path, key: Any) -> bool:
        """Whether a parameter's default or a mapping's value is used where a secret belongs."""
        if path[:1] == ("Parameters",) and len(path) == 2:
            return key == "Default" and ("parameter", path[1]) in self._pointed
        return path[:1] == ("Mappings",) and len(path) == 3 and ("mapping", path[1], key) in self._pointed

    def _scalar(self, value: Any, path: Path, name: str) -> Any:
        text = str(value)
        if "{{resolve:" in text:
            return value
        if name and not _NO_SECRET.fullmatch(text) and _is_secret(name, text):
            self._secrets.append(Secret(path, "a secret"))
            return MASK
        if not isinstance(value, str):
            return value
        cleaned = text
        for part in _PARTS:
            cleaned = part.sub(lambda match: match[1] + MASK, cleaned)
        if what := secret_in("", cleaned.replace(MASK, "${masked}")):
            self._secrets.append(Secret(path, what))
            return MASK
        if cleaned != text:
            self._secrets.append(Secret(path, "a secret within a text"))
        return cleaned


def _is_secret(name: str, text: str) -> bool:
    if secret_in(name, text, keycloak_masks) is not None:
        return True
    # A short number is a bad password, but one.
    return not name.upper().endswith("_KEY") and secret_in(name, _PROBE, keycloak_masks) is not None


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
