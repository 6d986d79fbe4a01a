"""What the values of a document come to: parameters, conditions and intrinsic functions worked out as far as
anybody can before the deployment.

A value that is known is plain data. What only AWS can tell stays what it is: a `Reference` to a resource, an
`Unknown` with its reason, a `Text` in which one of them stands between known parts. Nothing here raises on
odd input.

A check that wants "the value if it is known, else silence" asks `Resolver.known`; a reader that wants "the
value or what it refers to", and the line it is in, walks the document by `Place`.
"""

from __future__ import annotations

from generator.resolving.place import Place
from generator.resolving.resolver import Resolver
from generator.resolving.values import (
    NO_VALUE,
    Reference,
    Text,
    Unknown,
    is_known,
    join_text,
    scalar_text,
    whole_number,
)

__all__ = [
    "NO_VALUE",
    "Place",
    "Reference",
    "Resolver",
    "Text",
    "Unknown",
    "is_known",
    "join_text",
    "scalar_text",
    "whole_number",
]
