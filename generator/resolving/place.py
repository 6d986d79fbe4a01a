"""A place in a document, and the walk from it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING, Any

from generator.document import Path, Resource
from generator.resolving.values import (
    NO_VALUE,
    Reference,
    Text,
    Unknown,
    function_of,
    is_known,
    scalar_text,
    whole_number,
)

if TYPE_CHECKING:
    from generator.resolving.resolver import Resolver

_BROUGHT = Unknown("a macro beside it may bring it")


class Place:
    """A place in a document with the value that it comes to.

    It knows where the value is written: behind Fn::If that is the branch that holds, behind Fn::FindInMap the
    mapping. A place where nothing is written is falsy, and so is everything in it.
    """

    about = ""
    """The option that is meant, where a place holds several: one text that is the line of a shell."""

    def __init__(self, resolver: Resolver, path: Path, written: Any):
        self.resolver = resolver
        self._origin = (path, written)
        self.path, self._unresolved, self._written = _settled(resolver, path, written)

    def seen_by(self, resolver: Resolver) -> Place:
        """The same place as another resolver of the same document sees it."""
        return Place(resolver, *self._origin)

    def of(self, option: str) -> Place:
        """The same place, of which one option is meant."""
        found = copy(self)
        found.about = option
        return found

    @property
    def line(self) -> int:
        """Line of what is written here; of the nearest place around it where nothing is."""
        return self.resolver.document.line(self.path)

    @property
    def value(self) -> Any:
        """What it comes to, see `Resolver.value`; NO_VALUE where nothing is written."""
        return self._written if self._written is NO_VALUE else self.resolver.value(self._written)

    def __bool__(self) -> bool:
        return self._written is not NO_VALUE and self._written is not None

    def __getitem__(self, key: str) -> Place:
        """The place under `key`; absent where this is no mapping or has no such key, unknown where this isn't
        known or where a macro in the mapping may bring it."""
        if isinstance(self._written, Unknown):
            inner: Any = self._written
        elif isinstance(self._written, dict):
            inner = self._written.get(key, _BROUGHT if "Fn::Transform" in self._written else NO_VALUE)
        else:
            inner = NO_VALUE
        return Place(self.resolver, (*self.path, key), inner)

    def __iter__(self) -> Iterator[Place]:
        """The places of a list's items; anything else that has a value stands for a list of one, which is how
        CloudFormation takes it too. Nothing for what isn't known."""
        if isinstance(self._written, list):
            places = (Place(self.resolver, (*self.path, i), item) for i, item in enumerate(self._written))
            return (place for place in places if place)
        return iter((self,) if self and not isinstance(self.value, Unknown) else ())

    def alternatives(self) -> Iterator[Place]:
        """The places that it may come to: both branches of an Fn::If whose condition isn't known, and what they
        lead to; else itself alone."""
        branches = self._unresolved["Fn::If"] if function_of(self._unresolved) == "Fn::If" else None
        if not isinstance(branches, list) or len(branches) != 3:
            yield self
            return
        for index in (1, 2):
            yield from Place(self.resolver, (*self.path, "Fn::If", index), branches[index]).alternatives()

    def keys(self) -> list[str]:
        """The keys of a mapping that have a value."""
        written = self._written if isinstance(self._written, dict) and not function_of(self._written) else {}
        return [key for key in written if isinstance(key, str) and self[key]]

    @property
    def text(self) -> str | None:
        """The value as text, if it is one that is known; numbers and booleans as CloudFormation writes
        them."""
        text = scalar_text(self.value)
        return text if is_known(text) else None

    @property
    def integer(self) -> int | None:
        """The value as a whole number, also one in quotes; None for anything else."""
        return whole_number(self.value)

    @property
    def flag(self) -> bool | None:
        """True or False, also in quotes; None for anything else."""
        return {"true": True, "false": False}.get((self.text or "").lower())

    @property
    def reference(self) -> Reference | None:
        """The resource it refers to; None where it is anything else."""
        value = self.value
        return value if isinstance(value, Reference) else None

    @property
    def references(self) -> tuple[Reference, ...]:
        """The resources' names and attributes that it is, or is put together from."""
        value = self.value
        return value.references if isinstance(value, Text) else (value,) if isinstance(value, Reference) else ()

    @property
    def unknown(self) -> Unknown | None:
        """Why it isn't known, for a value or a text of which a part isn't."""
        if isinstance(self._written, (list, dict)):
            return None
        value = self.value
        if isinstance(value, Text):
            return next(iter(value.unknowns), None)
        return value if isinstance(value, Unknown) else None

    @property
    def names(self) -> set[str]:
        """The logical ids of resources and parameters that what is written here names."""
        return self.resolver.document.references(self._origin[1])

    def resource(self, *types: str) -> Resource | None:
        """The resource of one of `types` that it refers to; None where it is none of this template's."""
        reference = self.reference
        found = self.resolver.document.resources.get(reference.logical_id) if reference else None
        return found if found is not None and found.type in types else None


def _settled(resolver: Resolver, path: Path, written: Any) -> tuple[Path, Any, Any]:
    """Where the value of a place is written, what is written there, and what of that can be walked.

    Fn::If and Fn::FindInMap lead elsewhere in the document; any other function, and one of these that leads nowhere
    known, is resolved on the spot.
    """
    for _ in range(len(resolver.document.spans) + 1):
        function = function_of(written)
        if not function:
            return path, written, written
        argument = written[function]
        if function == "Fn::If" and isinstance(chosen := resolver.branch(argument), int):
            path, written = (*path, function, chosen), argument[chosen]
        elif function == "Fn::FindInMap" and isinstance(found := resolver.mapped(argument), tuple):
            path, written = found[0] or path, found[1]
        else:
            return path, written, resolver.value(written)
    lost = Unknown("mappings that lead to each other")
    return path, lost, lost
