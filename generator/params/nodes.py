"""Values as YAML wrote them: texts, mappings and lists that know their line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
"""Unquoted texts that mean "nothing" (https://yaml.org/type/null.html)."""


def is_null(text: str, plain: bool) -> bool:
    """Whether a text, which stood without quotes if it is `plain`, is `null`, `~` or nothing at all."""
    return plain and text in NULLS


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as it was written, without its quotes."""

    value: str
    plain: bool
    """Whether it stood without quotes: only then can it be null, true or a number."""
    line: int
    """From 1."""

    @property
    def null(self) -> bool:
        """Whether this is an unquoted `null`, `~` or nothing at all."""
        return is_null(self.value, self.plain)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys in the order of the file; each with the line of the key and the node under it."""

    items: dict[str, tuple[int, Node]]
    line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list, in the order of the file."""

    items: tuple[Node, ...]
    line: int


Node = Union[Scalar, Mapping, Sequence]
