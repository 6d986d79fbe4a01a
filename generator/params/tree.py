"""What the files of one environment say, merged: values that know who set them, and ways to ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Union

from generator.params.nodes import is_null

KeyPath = tuple[Union[str, int], ...]
"""Where a value is: keys, and numbers for list items, from the top."""


@dataclass(frozen=True)
class Origin:
    """A line that somebody wrote; line 0 is the file as a whole."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Setting:
    """One file's word on a value."""

    file: str
    line: int
    text: str
    """What it wrote, on one line; a long list or mapping is cut. `null` where it took the value away."""

    @property
    def origin(self) -> Origin:
        return Origin(self.file, self.line)


@dataclass(frozen=True)
class Leaf:
    """A scalar: the text as written and whether it stood without quotes."""

    text: str
    plain: bool
    chain: tuple[Setting, ...]
    """Who set it, oldest first; the last one holds."""

    @property
    def null(self) -> bool:
        """Whether this is a plain null that took nothing away, since nothing was inherited."""
        return is_null(self.text, self.plain)


@dataclass(frozen=True)
class Items:
    """A list; every item has a chain of its own."""

    items: tuple[Value, ...]
    chain: tuple[Setting, ...]


@dataclass(frozen=True)
class Branch:
    """A mapping; `items` also remembers the keys that a null took away (as Gone)."""

    items: dict[str, Value | Gone]
    chain: tuple[Setting, ...]


@dataclass(frozen=True)
class Gone:
    """What a plain null took away; kept for its chain only."""

    under: dict[str, Gone]
    chain: tuple[Setting, ...]


Value = Union[Leaf, Items, Branch]


class RawScalar(str):
    """A scalar's text that still knows whether it stood without quotes."""

    plain: bool

    def __new__(cls, text: str, plain: bool):
        scalar = super().__new__(cls, text)
        scalar.plain = plain
        return scalar

    @property
    def null(self) -> bool:
        """Whether this is an unquoted `null`, `~` or nothing at all."""
        return is_null(self, self.plain)


@dataclass(frozen=True)
class Tree:
    """Everything that the files of one environment say."""

    name: str
    file: str
    """The environment's own file, relative to the project folder."""
    files: tuple[str, ...]
    """All files it was made from, the deepest base first and its own last."""
    root: Branch

    def get(self, key: str | KeyPath) -> Value | None:
        """Return the value at a dotted key (`network.subnets.0`) or path; None where nothing is set.

        Keys may hold dots themselves: the longest key that fits is taken.
        """
        if isinstance(key, str):
            found = _at_parts(self.root, key.split(".")) if key else self.root
        else:
            found = self._at(key)
        return None if isinstance(found, Gone) else found

    def leaves(self) -> Iterator[tuple[KeyPath, Value]]:
        """Yield (path, value) of every scalar and of every empty list or mapping, as the files order them."""
        return _leaves((), self.root)

    def plain(self) -> dict:
        """Return new dicts and lists with a RawScalar for each scalar; what a null took away isn't in it.

        A null over which nothing was inherited is in it, so that a wrong key above it is still found.
        """
        return _plain(self.root)

    def where(self, path: KeyPath) -> Origin:
        """Return the line that set a value last; for a value that isn't there, of the nearest above it."""
        for length in range(len(path), 0, -1):
            node = self._at(path[:length])
            if node is not None:
                return node.chain[-1].origin
        return Origin(self.file, 0)

    def chain(self, path: KeyPath) -> tuple[Setting, ...]:
        """Return who set a value, oldest first; empty where nobody did.

        Where the last setting is a null that took a value away, the value isn't in the tree.
        """
        node = self._at(path)
        return node.chain if node is not None else ()

    def _at(self, path: KeyPath) -> Value | Gone | None:
        node: Value | Gone | None = self.root
        for step in path:
            node = _child(node, step)
            if node is None:
                return None
        return node


def dotted(path: KeyPath) -> str:
    """Return a path as people write it: `network.subnets.0`."""
    return ".".join(str(step) for step in path)


def _child(node: Value | Gone | None, step: str | int) -> Value | Gone | None:
    if isinstance(node, Branch):
        return node.items.get(step)
    if isinstance(node, Gone):
        return node.under.get(step)
    if isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def _at_parts(node: Value | Gone | None, parts: list[str]) -> Value | Gone | None:
    if not parts or node is None:
        return node
    if isinstance(node, Items):
        number = int(parts[0]) if parts[0].isascii() and parts[0].isdecimal() else None
        return _at_parts(_child(node, number), parts[1:])
    for length in range(len(parts), 0, -1):
        found = _child(node, ".".join(parts[:length]))
        if found is not None:
            below = _at_parts(found, parts[length:])
            if below is not None:
                return below
    return None


def _leaves(path: KeyPath, node: Value) -> Iterator[tuple[KeyPath, Value]]:
    below: list[tuple[str | int, Value]] = []
    if isinstance(node, Branch):
        below = [(key, value) for key, value in node.items.items() if not isinstance(value, Gone)]
    elif isinstance(node, Items):
        below = list(enumerate(node.items))
    if not below and path:
        yield path, node
    for step, value in below:
        yield from _leaves((*path, step), value)


def _plain(node: Value) -> dict | list | RawScalar:
    if isinstance(node, Leaf):
        return RawScalar(node.text, node.plain)
    if isinstance(node, Items):
        return [_plain(item) for item in node.items]
    return {key: _plain(value) for key, value in node.items.items() if not isinstance(value, Gone)}
