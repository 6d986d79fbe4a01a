"""What a value of a document may come to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reference:
    """A Ref (no attribute) or Fn::GetAtt to a resource of the template, whose value AWS makes."""

    logical_id: str
    attribute: str = ""

    def __str__(self) -> str:
        return f"{self.logical_id}.{self.attribute}" if self.attribute else self.logical_id


@dataclass(frozen=True)
class Unknown:
    """A value that can't be told before the deployment."""

    reason: str
    """Why, as the end of "it isn't known: …"; without a full stop."""
    parameter: str = ""
    """The parameter that would make it known if it had a value."""
    name: str = ""
    """What it is called outside the template: the parameter, or another stack's export."""

    def __str__(self) -> str:
        return self.name or "?"


@dataclass(frozen=True)
class Text:
    """Text that is known in parts: at least two, at least one of them no str, no two str beside each
    other."""

    parts: tuple[str | Reference | Unknown, ...]

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else f"${{{part}}}" for part in self.parts)

    @property
    def references(self) -> tuple[Reference, ...]:
        """The references in it, in their order."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What isn't known in it, in its order."""
        return tuple(part for part in self.parts if isinstance(part, Unknown))


class _NoValue:
    """What AWS::NoValue comes to: the property isn't there."""

    def __repr__(self) -> str:
        return "NO_VALUE"

    def __bool__(self) -> bool:
        return False


NO_VALUE = _NoValue()


def is_known(value: Any) -> bool:
    """Whether a resolved value is plain data all the way down, without a dynamic reference in it."""
    if isinstance(value, str):
        return "{{resolve:" not in value
    if isinstance(value, dict):
        return all(is_known(one) for one in value.values())
    if isinstance(value, list):
        return all(is_known(one) for one in value)
    return value is not None and not isinstance(value, (Reference, Unknown, Text, _NoValue))


def join_text(parts: list[Any]) -> str | Reference | Unknown | Text:
    """Resolved values one after the other as one text: a str if all are known, the one part there is if it is
    alone."""
    flat: list[Any] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Text) else (part,):
            if not isinstance(piece, (Reference, Unknown)):
                text = "" if piece is NO_VALUE else scalar_text(piece)
                piece = Unknown("a list or a mapping where text belongs") if text is None else text
            if isinstance(piece, str) and flat and isinstance(flat[-1], str):
                flat[-1] += piece
            elif piece != "":
                flat.append(piece)
    return Text(tuple(flat)) if len(flat) > 1 else flat[0] if flat else ""


def scalar_text(value: Any) -> str | None:
    """Text, number or boolean as CloudFormation writes it into a text; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return value if isinstance(value, str) else None


def whole_number(value: Any) -> int | None:
    """A whole number, also one in quotes; None for anything else."""
    text = scalar_text(value) if not isinstance(value, bool) else None
    return int(text) if text is not None and re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None


def function_of(value: Any) -> str:
    """The intrinsic function that a mapping is; empty where it is none."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        if isinstance(name, str) and (name == "Ref" or name.startswith("Fn::")):
            return name
    return ""


def mapping(value: Any) -> dict[str, Any]:
    """A mapping; an empty one for anything else."""
    return value if isinstance(value, dict) else {}
