"""Values that remember which params key they came from.

Tracked values are copies, not wrappers: a tracked string is a `str`, a tracked model an instance of its own
class. So Python code needs to know nothing about them, and what merely passes a value on passes its key on.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from functools import cached_property

# Kept in the instance's `__dict__`, where models and dataclasses look at neither equality, repr nor dumps.
_KEY = "__params_key__"


def _keeping_key(name: str):
    original = getattr(str, name)

    def method(self, *args, **kwargs):
        return _with_key(TrackedStr(original(self, *args, **kwargs)), key_of(self))

    method.__name__ = name
    return method


class TrackedStr(str):
    """A string with a key; trimming it or changing its case keeps the key, joining it to another doesn't."""

    strip, lstrip, rstrip = map(_keeping_key, ("strip", "lstrip", "rstrip"))
    lower, upper = map(_keeping_key, ("lower", "upper"))
    replace, removeprefix, removesuffix = map(_keeping_key, ("replace", "removeprefix", "removesuffix"))


class TrackedInt(int):
    """A whole number with a key; arithmetic gives plain numbers."""


class TrackedDict(dict):
    """A copy of a mapping whose keys and values are tracked."""


class TrackedList(list):
    """A copy of a list whose items are tracked."""


class TrackedTuple(tuple):
    """A copy of a tuple whose items are tracked."""


def track(value: object, key: str = "") -> object:
    """A copy of `value` in which every str and int, at any depth, knows its dotted key below `key`.

    Goes through pydantic models and dataclasses (the copy has the same class; a field's alias is its key),
    mappings, lists and tuples (items count from 0: `keycloak.admin.allow_from.0`). What is tracked already
    keeps its key. Anything else comes back as it is: a bool can't be subclassed, and sets have no order.
    """
    kind = type(value)
    if _KEY in getattr(value, "__dict__", ()):
        return value
    if kind is str:
        return _with_key(TrackedStr(value), key)
    if kind is int:
        return _with_key(TrackedInt(value), key)
    if isinstance(value, Mapping):
        keys = {name: child_key(key, name) for name in value}
        items = {track(name, keys[name]): track(item, keys[name]) for name, item in value.items()}
        return _with_key(TrackedDict(items), key)
    if isinstance(value, (list, tuple)):
        items = [track(item, child_key(key, index)) for index, item in enumerate(value)]
        if hasattr(kind, "_make"):  # a named tuple has no room for a key of its own
            return kind._make(items)
        return _with_key(TrackedList(items) if isinstance(value, list) else TrackedTuple(items), key)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _track_fields(value, key, {field.name: field.name for field in dataclasses.fields(value)})
    # Known by its attributes, so that pydantic is not imported where no model is tracked.
    if getattr(kind, "__pydantic_root_model__", False):
        return _track_fields(value, key, {"root": ""})
    if hasattr(kind, "__pydantic_fields__"):
        names = {name: field.alias or name for name, field in kind.model_fields.items()}
        return _track_fields(value, key, names)
    return value


def key_of(value: object) -> str:
    """The dotted params key `value` was tracked with; empty for any other value."""
    key = getattr(value, _KEY, "")
    return key if isinstance(key, str) else ""


def child_key(key: str, name: object) -> str:
    """The key of `name` (a field, mapping key or list index) below `key`."""
    return f"{key}.{name}" if key and name != "" else key or str(name)


def _with_key(value, key: str):
    value.__dict__[_KEY] = key
    return value


def _track_fields(value, key: str, names: Mapping[str, str]):
    copied = copy.copy(value)
    attributes = getattr(copied, "__dict__", None)
    if attributes is not None:
        # A cached property was computed from untracked fields: let the copy compute its own.
        for name in list(attributes):
            if isinstance(getattr(type(value), name, None), cached_property):
                del attributes[name]
        attributes[_KEY] = key
    for name, written in names.items():
        child = track(getattr(value, name), child_key(key, written))
        if attributes is not None:
            attributes[name] = child
        else:  # a dataclass with slots has no room for a key of its own, only its fields have
            object.__setattr__(copied, name, child)
    return copied
